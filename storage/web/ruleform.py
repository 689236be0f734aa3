"""The form of an alert rule: each kind asks only for what it has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bridge.tic.catalogue import BY_SLUG
from storage.alerts.conditions import Operator
from storage.alerts.meanings import WATCHABLE, Kind
from storage.alerts.models import AlertRule
from storage.entities.forms import SignedForm
from storage.rights import Rights
from storage.web.words import field_name

_OFTEN: Final = ("sinsts", "power_used_percent", "tempo_tomorrow", "over_power", "urms1", "irms1", "sinsti", "breaker")
_OPERATORS: Final[Mapping[Operator, Promise]] = {
    Operator.GT: _("is above"),
    Operator.GE: _("is at least"),
    Operator.LT: _("is below"),
    Operator.LE: _("is at most"),
    Operator.EQ: _("is"),
    Operator.NE: _("is not"),
}
# What a kind has beside a name, a meter, receivers and its value.
_OWN: Final[Mapping[str, frozenset[str]]] = {
    Kind.THRESHOLD: frozenset({"field", "operator", "duration", "hysteresis"}),
    Kind.STANDBY: frozenset({"hysteresis"}),
}
_PARTS: Final = ("field", "operator", "duration", "hysteresis")

WHAT: Final[Mapping[str, tuple[Promise, Promise]]] = {
    Kind.THRESHOLD: (
        _("A value above or below a limit"),
        _("the power for a minute, a voltage, tomorrow's Tempo colour"),
    ),
    Kind.SILENT: (_("The meter is silent"), _("no reading has come for some minutes")),
    Kind.PRODUCTION: (_("No production"), _("nothing was injected since midnight by that hour")),
    Kind.STANDBY: (_("Standby power"), _("what is drawn at night when nobody uses anything")),
    Kind.COST: (_("The cost of the day"), _("what it has cost since midnight")),
    Kind.TRIP: (_("The breaker is about to open"), _("at the present draw; mode standard only")),
}
_VALUES: Final[Mapping[str, tuple[Promise, Promise | str]]] = {
    Kind.THRESHOLD: (_("Limit"), _("In the unit of the field; a word as the meter has it (rouge), or ON or OFF.")),
    Kind.SILENT: (_("Minutes of silence"), _("From 1 to 10080; 15 is a good beginning.")),
    Kind.PRODUCTION: (_("Hour of the day"), _("From 6 to 20. Empty: noon.")),
    Kind.STANDBY: (_("Standby power (VA)"), _("The lowest of the last thirty nights is compared with it.")),
    Kind.COST: (_("Cost (€)"), _("It needs a contract and its prices.")),
    Kind.TRIP: (_("Seconds until it opens"), _("From 1 to 3600. Empty: an hour.")),
}


class RuleForm(SignedForm):
    """`RuleForm(data, instance=rule, kind=kind, user=user)`; the kind of a rule never changes."""

    class Meta:
        model = AlertRule
        fields = ("name", "meter", *_PARTS[:2], "value", *_PARTS[2:], "mqtt", "recipients", "enabled")
        widgets: ClassVar = {"recipients": forms.Textarea({"rows": 2, "autocomplete": "email"})}

    def __init__(self, *args: Any, kind: str, rights: Rights, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = kind
        del self.fields["change_reason"]
        for part in _PARTS:
            if part not in _OWN.get(kind, frozenset()):
                del self.fields[part]
                setattr(self.instance, part, getattr(AlertRule(), part))
        self._name_parts(kind)
        self._offer_meters(rights)

    def _name_parts(self, kind: str) -> None:
        value = self.fields["value"]
        value.label, value.help_text = map(str, _VALUES[kind])
        value.required = kind in (Kind.THRESHOLD, Kind.SILENT, Kind.STANDBY, Kind.COST)
        self.fields["name"].help_text = gettext("It stands in every message: oven and heater, for example.")
        meter = self.fields["meter"]
        assert isinstance(meter, forms.ModelChoiceField)
        meter.empty_label, meter.help_text = gettext("every meter"), ""
        if kind == Kind.THRESHOLD:
            self.fields["field"] = forms.ChoiceField(label=_("What the meter says"), choices=_fields)
            self.fields["operator"] = forms.ChoiceField(label=_("When it"), choices=list(_OPERATORS.items()))

    def _offer_meters(self, rights: Rights) -> None:
        """Those that are seen; who does not see all of them names one."""
        meter = self.fields["meter"]
        assert isinstance(meter, forms.ModelChoiceField)
        meter.queryset, meter.required = rights.meters(), not rights.is_whole
        if not rights.is_whole:
            meter.empty_label = None


def _fields() -> list[tuple[str, list[tuple[str, str]]]]:
    """Those that are watched most first, then all by name in the language of the page."""
    named = sorted(((slug, _named(slug)) for slug in WATCHABLE), key=lambda one: one[1].casefold())
    often = [(slug, _named(slug)) for slug in _OFTEN]
    return [(gettext("Often watched"), often), (gettext("All"), [one for one in named if one[0] not in _OFTEN])]


def _named(slug: str) -> str:
    row = BY_SLUG[slug]
    unit = f" ({row.unit})" if row.unit else ""
    return f"{field_name(row)}{unit}: {row.label or row.slug}"
