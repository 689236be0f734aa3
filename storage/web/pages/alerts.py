"""What is wrong, what was, what is watched, and who is told."""

from __future__ import annotations

from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.core.validators import validate_email
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import get_language, gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from bridge.config import ConfigError
from storage.alerts import board
from storage.alerts.conditions import Change
from storage.alerts.errors import UndeliveredError
from storage.alerts.mail import send
from storage.alerts.models import Alert, AlertRule, Delivery
from storage.alerts.texts import describe, meter_name, shown, test_mail
from storage.api.access import may
from storage.buckets import zone_of
from storage.rights import Rights, rights_of
from storage.web.ruleform import WHAT, RuleForm
from storage.web.shown import moment
from storage.webhooks import outbox

_ON_A_PAGE: Final = 20
_MESSAGES: Final = 10
_EVENTS: Final = tuple(f"alert_{change}" for change in Change)  # as webhooks know them


class Told(NamedTuple):
    """An alert in words."""

    rule: str
    meter: str
    meter_id: str
    meaning: str
    since: str
    until: str
    value: str
    peak: str


class Watched(NamedTuple):
    """A rule in words."""

    rule: AlertRule
    meaning: str
    meter: str
    told: str
    trouble: str  # why it cannot be used
    raised: bool
    own: bool  # whether it watches nobody else's meters, too


class Sent(NamedTuple):
    """A message in words."""

    at: str
    rule: str
    says: str
    to: str
    state: str
    error: str


class May(NamedTuple):
    """What the reader may do with rules."""

    see: bool
    add: bool
    change: bool
    delete: bool

    @classmethod
    def of(cls, request: HttpRequest) -> May:
        return cls(*(may(request.user, verb, AlertRule) for verb in ("view", "add", "change", "delete")))


@require_safe
@never_cache
def alerts(request: HttpRequest) -> HttpResponse:
    """The list of alerts, the rules, and the ways of telling."""
    if not may(request.user, "view", Alert):
        raise PermissionDenied
    rights = May.of(request)
    seen = rights_of(request)
    page = Paginator(board.over(seen), _ON_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "may": rights,
        "raised": [_told(alert) for alert in board.raised(seen)],
        "page": page,
        "over": [_told(alert) for alert in page],
        "rules": [_watched(rule, seen) for rule in board.rules(seen)] if rights.see else [],
        "kinds": [(kind, *what) for kind, what in WHAT.items()],
        "sent": _sent(seen),
        **_ways(request),
    }
    return render(request, "storage/alerts.html", context)


def _ways(request: HttpRequest) -> dict[str, Any]:
    """How messages leave, as the configuration has it."""
    mail = settings.TICBRIDGE.mail
    return {
        "topic": f"{settings.TICBRIDGE.mqtt.base_topic}/<meter>/alert",
        "mail_server": f"{mail.host}:{mail.port}" if mail.host else "",
        "mail_sender": mail.sender,
        "address": getattr(request.user, "email", ""),
        "webhooks": [webhook.name for webhook in outbox.told_of(_EVENTS)],
        "webhooks_on": settings.NOTIFY_CHANGES,
    }


# --- rules ---------------------------------------------------------------------------------------


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new_rule(request: HttpRequest, kind: str) -> HttpResponse:
    """Make one of a kind."""
    if kind not in WHAT:
        raise Http404
    _need(request, "add")
    return _edit(request, kind, AlertRule())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def change_rule(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Change one."""
    _need(request, "change")
    rule = _own(request, uuid)
    return _edit(request, rule.kind, rule)


@never_cache
@require_POST
def switch_rule(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """On or off, as the button said."""
    _need(request, "change")
    rule = _own(request, uuid)
    rule.enabled = request.POST.get("enabled") == "on"
    rule.save(update_fields=["enabled"])
    said = (
        gettext("The rule {name} is on.")
        if rule.enabled
        else gettext("The rule {name} is off: it raises nothing until it is switched on again.")
    )
    messages.success(request, said.format(name=rule.name))
    return redirect("alerts")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete_rule(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Ask, then delete it with what it raised."""
    _need(request, "delete")
    rule = _own(request, uuid)
    if request.method == "POST":
        rule.delete()
        messages.success(request, gettext("The rule {name} is deleted.").format(name=rule.name))
        return redirect("alerts")
    count = rule.alerts.count()
    return render(request, "storage/rule_delete.html", {"rule": _watched(rule, rights_of(request)), "count": count})


def _edit(request: HttpRequest, kind: str, rule: AlertRule) -> HttpResponse:
    made = rule.pk is not None
    form = RuleForm(request.POST or None, instance=rule, kind=kind, user=request.user, rights=rights_of(request))
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        said = gettext("The rule {name} is changed: {meaning}.") if made else gettext("New rule {name}: {meaning}.")
        messages.success(request, said.format(name=saved.name, meaning=describe(saved)))
        return redirect("alerts")
    title, meaning = WHAT[kind]
    context = {"form": form, "title": title, "meaning": meaning, "made": made, "uuid": rule.uuid}
    return render(request, "storage/rule.html", context, status=400 if form.errors else 200)


def _own(request: HttpRequest, uuid: UUID) -> AlertRule:
    """A rule that is seen; one for every meter is changed by whoever sees every meter."""
    rule = get_object_or_404(rights_of(request).of(AlertRule.objects.all()), uuid=uuid)
    if not rights_of(request).may_write_row(rule):
        raise PermissionDenied
    return rule


def _need(request: HttpRequest, verb: str) -> None:
    if not may(request.user, verb, AlertRule):
        raise PermissionDenied


# --- telling -------------------------------------------------------------------------------------


@never_cache
@require_POST
def test_message(request: HttpRequest) -> HttpResponse:
    """Send an e-mail now, and say what became of it."""
    _need(request, "change")
    address = request.POST.get("address", "").strip()
    mail = settings.TICBRIDGE.mail
    try:
        validate_email(address)
        send(mail, test_mail(address, f"test-{uuid4()}", get_language() or "en"))
    except ValidationError:
        messages.error(request, gettext("{address} is no e-mail address: nothing was sent.").format(address=address))
    except (UndeliveredError, ConfigError) as error:
        messages.error(request, gettext("The test message did not go. {why}").format(why=error))
    else:
        said = gettext("The mail server {server} took the test message to {address}.")
        messages.success(request, said.format(server=f"{mail.host}:{mail.port}", address=address))
    return redirect("alerts")


# --- in words ------------------------------------------------------------------------------------


def _told(alert: Alert) -> Told:
    zone = zone_of(alert.meter.timezone)
    return Told(
        alert.rule.name, meter_name(alert.meter), alert.meter.meter_id, _meaning(alert.rule),
        moment(alert.since, zone), moment(alert.cleared, zone) if alert.cleared else "",
        shown(alert.rule, alert.value), shown(alert.rule, alert.peak),
    )  # fmt: skip


def _meaning(rule: AlertRule) -> str:
    return rule.name if rule.problems else describe(rule)


def _watched(rule: Any, seen: Rights) -> Watched:  # with `raised_now`, of board.rules
    told = ["MQTT"] if rule.mqtt else []
    trouble = " ".join(str(problem) for problem in rule.problems.values())
    return Watched(
        rule, "" if trouble else describe(rule), meter_name(rule.meter) if rule.meter else gettext("every meter"),
        ", ".join([*told, *rule.addresses]) or gettext("nobody"), trouble, bool(getattr(rule, "raised_now", ())),
        seen.is_whole or rule.meter is not None,
    )  # fmt: skip


def _sent(seen: Rights) -> list[Sent]:
    """The newest messages of all channels, newest first; what webhooks were told names meters of everybody."""
    own = [(delivery.at, _mailed(delivery)) for delivery in board.deliveries(_MESSAGES, seen)]
    hooked = [
        (
            call.created,
            Sent(
                moment(call.created, _here()), str(call.payload.get("data", {}).get("rule", "")), call.event,
                call.webhook.name, str(call.get_state_display()), call.said,
            ),
        )
        for call in (outbox.newest_of(_EVENTS, _MESSAGES) if seen.is_whole else ())
    ]  # fmt: skip
    return [sent for _, sent in sorted(own + hooked, key=lambda one: one[0], reverse=True)[:_MESSAGES]]


def _mailed(delivery: Delivery) -> Sent:
    to = delivery.recipient or delivery.get_channel_display()
    return Sent(
        moment(delivery.at, zone_of(delivery.alert.meter.timezone)), delivery.alert.rule.name,
        str(delivery.get_change_display()), str(to), str(delivery.get_state_display()), delivery.error,
    )  # fmt: skip


def _here() -> Any:  # a tzinfo
    return zone_of(settings.TIME_ZONE)
