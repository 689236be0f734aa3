"""What an e-mail about an alert says, in the language of the configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.template.loader import render_to_string
from django.utils import formats, translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from bridge.tic.catalogue import BY_SLUG
from storage.alerts.conditions import Change
from storage.alerts.mail import Mail
from storage.alerts.meanings import AMOUNTS, Kind
from storage.alerts.models import AlertRule, Delivery
from storage.buckets import zone_of
from storage.models import Meter

_ADVICE: Final[Mapping[str, Promise]] = MappingProxyType({
    Kind.THRESHOLD: gettext_lazy(
        "Look at what causes it. If this is how it should be, change the limit of the rule in the administration."
    ),
    Kind.SILENT: gettext_lazy(
        "Look whether the bridge runs, the adapter is plugged in and the broker can be reached: the bridge's log tells."
    ),
    Kind.PRODUCTION: gettext_lazy(
        "Look at the inverter and at its breaker. Under snow or in thick fog there may be nothing to repair."
    ),
    Kind.STANDBY: gettext_lazy(
        "Something is never switched off any more: switch devices off one by one and watch the power on the page."
    ),
    Kind.COST: gettext_lazy("Look at the day on the page: it shows which hours cost the most."),
    Kind.TRIP: gettext_lazy("Switch something off now: an oven, a heater, a car that is charging."),
})  # fmt: skip


def mail_of(delivery: Delivery, language: str) -> Mail:
    """The message of a delivery, ready to be sent."""
    with translation.override(language):
        return _written(delivery.recipient, f"alert-{delivery.alert.uuid}-{delivery.pk}", _headline(delivery), language,
                        list(_facts(delivery)), _what_to_do(delivery))  # fmt: skip


def test_mail(recipient: str, name: str, language: str) -> Mail:
    """What an owner sends himself to see that it arrives."""
    with translation.override(language):
        return _written(recipient, name, _("ticbridge: test message"), language, [],
                        _("This message is a test: alerts will reach this address."))  # fmt: skip


def _written(to: str, name: str, headline: str, language: str, facts: list[tuple[str, str]], what_to_do: str) -> Mail:
    lines = [_("%(name)s: %(value)s") % {"name": fact, "value": value} for fact, value in facts]
    context = {
        "headline": headline, "facts": facts, "lines": lines, "what_to_do": what_to_do, "language": language,
    }  # fmt: skip
    text, html = (render_to_string(f"alerts/mail.{kind}", context) for kind in ("txt", "html"))
    return Mail(to, headline, text, html, name)


def _headline(delivery: Delivery) -> str:
    about = {"rule": delivery.alert.rule.name, "meter": meter_name(delivery.alert.meter)}
    if delivery.change == Change.RAISED:
        return _("Alert: %(rule)s (%(meter)s)") % about
    return _("Over: %(rule)s (%(meter)s)") % about


def _facts(delivery: Delivery) -> Iterator[tuple[str, str]]:
    alert, rule = delivery.alert, delivery.alert.rule
    zone = alert.meter.timezone
    yield _("Meter"), meter_name(alert.meter)
    yield _("Rule"), describe(rule)
    if delivery.value is not None:
        yield _("Value"), shown(rule, delivery.value)
    yield _("Since"), _local(alert.since, zone)
    if delivery.change == Change.CLEARED:
        yield _("Over since"), _local(delivery.at, zone)
        yield _("Furthest value"), shown(rule, alert.peak)


def _what_to_do(delivery: Delivery) -> str:
    if delivery.change == Change.CLEARED:
        return _("There is nothing to do.")
    return str(_ADVICE[delivery.alert.rule.kind])


def meter_name(meter: Meter) -> str:
    """Its name, or the end of its number."""
    return meter.name or f"…{meter.meter_id[-4:]}"


def describe(rule: AlertRule) -> str:
    """The condition of a rule in words, such as "Apparent power > 8000 VA for 60 s"."""
    if rule.kind != Kind.THRESHOLD:
        amount = AMOUNTS[rule.kind]
        value = rule.value or ("" if rule.kind == Kind.TRIP else f"{amount.default:g}")
        return f"{rule.get_kind_display()} {value} {amount.unit if value else ''}".strip()
    row = BY_SLUG.get(rule.field)
    name = rule.field if row is None else row.fr if translation.get_language() == "fr" else row.en
    said = f"{name} {rule.operator} {rule.value} {rule.unit}".strip()
    if not rule.duration:
        return said
    return _("%(condition)s for %(n)s s") % {"condition": said, "n": rule.duration}


def shown(rule: AlertRule, value: Any) -> str:  # any JSON scalar
    """A value of a rule, with its unit."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str):
        return value
    digits = 0 if isinstance(value, int) or value == int(value) else 2
    return f"{formats.number_format(value, digits)} {rule.unit}".strip()


def _local(at: datetime, zone: str) -> str:
    return formats.date_format(at.astimezone(zone_of(zone)), "j F Y H:i:s")
