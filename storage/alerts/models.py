"""Rules, what they raised, and the messages that say so; and how far each meter's readings were looked at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, validate_email
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from storage.alerts.conditions import Change, Condition, Operator
from storage.alerts.meanings import Kind, condition, problems, unit_of
from storage.entities.models import DecimalField, Entity, natural
from storage.models import Meter

_MOST_RECIPIENTS: Final = 20


class AlertRule(Entity):
    """A condition that is watched, of one meter or of all, and who is told."""

    name = models.CharField(_("name"), max_length=64, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind, default=Kind.THRESHOLD)
    meter = models.ForeignKey(
        Meter, models.CASCADE, null=True, blank=True, verbose_name=_("meter"), help_text=_("Empty: every meter.")
    )
    field = models.CharField(_("field"), max_length=32, blank=True)  # a canonical slug
    operator = models.CharField(
        _("operator"), max_length=2, blank=True, choices=[(one.value, one.value) for one in Operator]
    )
    value = models.CharField(
        _("value"), max_length=32, blank=True,
        help_text=_("In the unit of the field; else minutes of silence, hour of the day, VA, € or seconds."),
    )  # fmt: skip
    duration = models.PositiveIntegerField(
        _("duration (s)"), default=0, help_text=_("For how long it must hold before the alert is raised.")
    )
    hysteresis = DecimalField(
        _("hysteresis"), max_digits=12, decimal_places=3, default=Decimal(0), validators=[MinValueValidator(0)],
        help_text=_("How far it must come back beyond the value before the alert is cleared."),
    )  # fmt: skip
    mqtt = models.BooleanField(_("tell MQTT"), default=True)
    recipients = models.TextField(
        _("e-mail to"), blank=True, max_length=2000, help_text=_("Addresses, separated by commas.")
    )

    natural_key = natural("name")

    class Meta:
        verbose_name = _("alert rule")
        verbose_name_plural = _("alert rules")

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """What it looks at: with another one an alert that is open says nothing any more."""
        return f"{self.kind} {self.field} {self.operator}".strip()

    @property
    def condition(self) -> Condition:
        """As `meanings.condition`; of a rule that `clean` let through."""
        return condition(self.kind, self.field, self.operator, self.value, hysteresis=float(self.hysteresis),
                         duration=self.duration)  # fmt: skip

    @property
    def unit(self) -> str:
        """Of the values that are compared."""
        return unit_of(self.kind, self.field)

    @property
    def addresses(self) -> list[str]:
        """Those that get an e-mail."""
        return list(
            dict.fromkeys(part.strip() for part in self.recipients.replace("\n", ",").split(",") if part.strip())
        )

    @property
    def problems(self) -> dict[str, Any]:
        """As `meanings.problems`."""
        return problems(self.kind, self.field, self.operator, self.value, hysteresis=float(self.hysteresis or 0),
                        duration=self.duration or 0)  # fmt: skip

    def clean(self) -> None:
        """Refuse what could never be raised, or never told."""
        wrong = self.problems
        addresses = self.addresses
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                wrong["recipients"] = _("%(address)s is no e-mail address.") % {"address": address}
        if len(addresses) > _MOST_RECIPIENTS:
            wrong["recipients"] = _("Expected at most %(most)s addresses.") % {"most": _MOST_RECIPIENTS}
        if wrong:
            raise ValidationError(wrong)


class Place(models.Model):
    """How far the readings of a meter were looked at, and what the next one is compared with."""

    meter = models.OneToOneField(Meter, models.CASCADE, primary_key=True, verbose_name=_("meter"))
    at = models.DateTimeField(null=True)  # of the newest reading that was looked at
    heard = models.BigIntegerField(default=0)  # counts readings that were news
    is_silent = models.BooleanField(default=False)  # and that was told
    memory = models.JSONField(default=dict)  # as events.Memory keeps it

    def __str__(self) -> str:
        return f"{self.meter_id}: {self.at}"


class Alert(models.Model):
    """A rule that holds for a meter: first it waits for its duration, then it is raised, then cleared."""

    class State(models.TextChoices):
        PENDING = "pending", _("not long enough yet")
        RAISED = "raised", _("raised")
        CLEARED = "cleared", _("over")

    uuid = models.UUIDField(default=uuid4, unique=True, editable=False)
    rule = models.ForeignKey(AlertRule, models.CASCADE, verbose_name=_("alert rule"), related_name="alerts")
    meter = models.ForeignKey(Meter, models.CASCADE, verbose_name=_("meter"))
    subject = models.CharField(max_length=64)  # the rule's, when it began
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.PENDING)
    since = models.DateTimeField(_("since"))
    seen = models.DateTimeField(_("last looked at"))
    raised = models.DateTimeField(_("raised at"), null=True)
    calm_since = models.DateTimeField(null=True)
    cleared = models.DateTimeField(_("over at"), null=True)
    value = models.JSONField(_("value"))
    peak = models.JSONField(_("furthest value"))

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "meter"), condition=Q(cleared__isnull=True), name="alert_open_once"
            ),
        )
        indexes = (models.Index(fields=("cleared",), name="alert_cleared"),)

    def __str__(self) -> str:
        return f"{self.rule_id} {self.meter_id} {self.since:%Y-%m-%d %H:%M:%S}"


class Delivery(models.Model):
    """A message to one receiver: written with the change that it tells, sent afterwards, tried again until given up."""

    class Channel(models.TextChoices):
        MQTT = "mqtt", "MQTT"
        MAIL = "mail", _("e-mail")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("given up")

    alert = models.ForeignKey(Alert, models.CASCADE, verbose_name=_("alert"), related_name="deliveries")
    change = models.CharField(
        _("says"), max_length=8, choices=[(Change.RAISED.value, _("raised")), (Change.CLEARED.value, _("over"))]
    )
    channel = models.CharField(_("channel"), max_length=4, choices=Channel)
    recipient = models.CharField(_("recipient"), max_length=254, blank=True)
    value = models.JSONField(_("value"), null=True)
    at = models.DateTimeField(_("time of the change"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    due = models.DateTimeField(_("next try"), default=timezone.now)
    sent = models.DateTimeField(_("sent at"), null=True)
    error = models.CharField(_("what went wrong"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = (
            models.UniqueConstraint(fields=("alert", "change", "channel", "recipient"), name="delivery_once"),
        )
        indexes = (models.Index(fields=("state", "due"), name="alert_delivery_due"),)

    def __str__(self) -> str:
        return f"{self.alert_id} {self.change} {self.channel} {self.state}"
