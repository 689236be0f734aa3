"""Rules for their owner to edit; what they raised, and what became of each message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, Prefetch, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storage.alerts.models import Alert, AlertRule, Delivery
from storage.alerts.texts import describe, shown
from storage.entities.admin import EntityAdmin
from storage.entities.forms import SignedForm

if TYPE_CHECKING:  # generic to the type checker only
    _Admin = admin.ModelAdmin[Any]
    _Inline = admin.TabularInline[Any, Any]
else:
    _Admin, _Inline = admin.ModelAdmin, admin.TabularInline


class _RuleForm(SignedForm):
    class Meta:
        widgets = {"recipients": forms.Textarea(attrs={"rows": 2})}  # noqa: RUF012  Django's own way


@admin.register(AlertRule)
class AlertRuleAdmin(EntityAdmin):
    """What is watched, and whether it is raised now."""

    form = _RuleForm
    list_display = ("name", "enabled", "meter", "watches", "status")
    list_filter = ("enabled", "kind", "meter")
    search_fields = ("name", "field")
    fields = (
        "name", "enabled", "kind", "meter", "field", "operator", "value", "duration", "hysteresis", "mqtt",
        "recipients", "change_reason",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With what is raised."""
        raised = Alert.objects.filter(state=Alert.State.RAISED).select_related("meter")
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("meter").prefetch_related(Prefetch("alerts", raised, to_attr="raised_now"))

    @admin.display(description=_("watches"))
    def watches(self, rule: AlertRule) -> str:
        """In words."""
        return "-" if rule.problems else describe(rule)

    @admin.display(description=_("state"))
    def status(self, rule: Any) -> str:  # with what `get_queryset` adds
        """Raised at which meters, or that it cannot be used."""
        if rule.problems:
            return " ".join(str(problem) for problem in rule.problems.values())
        if not rule.raised_now:
            return "-"
        return str(_("raised: %(meters)s") % {"meters": ", ".join(str(alert.meter) for alert in rule.raised_now)})


class _Kept(_Admin):
    """The store alone writes these; their owner may look, and throw away."""

    show_full_result_count = False
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class _DeliveryInline(_Inline):
    model = Delivery
    extra = 0
    fields = ("at", "change", "channel", "recipient", "state", "tries", "sent", "error")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Alert)
class AlertAdmin(_Kept):
    """What was raised, from when to when, and its messages."""

    list_display = ("begun", "rule", "meter", "state", "now", "furthest", "cleared")
    list_filter = ("state", "rule", "meter")
    list_select_related = ("rule", "meter")
    fields = ("rule", "meter", "state", "since", "raised", "cleared", "now", "furthest")
    readonly_fields = ("now", "furthest")
    inlines = (_DeliveryInline,)

    @admin.display(description=_("since"))
    def begun(self, alert: Alert) -> str:
        """To the second."""
        return date_format(timezone.localtime(alert.since), "j N Y H:i:s")

    @admin.display(description=_("value"))
    def now(self, alert: Alert) -> str:
        """The newest that held, with its unit."""
        return shown(alert.rule, alert.value)

    @admin.display(description=_("furthest value"))
    def furthest(self, alert: Alert) -> str:
        """With its unit."""
        return shown(alert.rule, alert.peak)


@admin.register(Delivery)
class DeliveryAdmin(_Kept):
    """Each message: sent, waiting, or given up and why."""

    list_display = ("at", "rule", "change", "channel", "recipient", "state", "tries", "due", "error")
    list_filter = ("state", "channel", "change")
    list_select_related = ("alert__rule",)
    actions = ("send_again",)

    @admin.display(description=_("alert rule"))
    def rule(self, delivery: Delivery) -> str:
        """By name."""
        return delivery.alert.rule.name

    @admin.action(description=_("Send again what was given up"), permissions=["delete"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """From the first try on."""
        failed = queryset.filter(state=Delivery.State.FAILED)
        count = failed.update(state=Delivery.State.WAITING, tries=0, due=timezone.now(), error="")
        self.message_user(request, gettext("Messages that will be sent again: %(n)s") % {"n": count}, messages.SUCCESS)
