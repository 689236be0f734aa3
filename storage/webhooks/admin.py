"""Webhooks for their owner to edit, and the outbox to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.apps import apps
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storage.entities.admin import EntityAdmin
from storage.entities.forms import SignedForm
from storage.webhooks.changes import choosable
from storage.webhooks.models import Change, Delivery, Webhook

if TYPE_CHECKING:  # generic to the type checker only
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin


class WebhookForm(SignedForm):
    """Models and events to tick; a secret that is entered and never shown."""

    types = forms.MultipleChoiceField(label=_("models"), required=False, widget=forms.CheckboxSelectMultiple)
    events = forms.MultipleChoiceField(label=_("events"), required=False, widget=forms.CheckboxSelectMultiple)
    new_secret = forms.CharField(
        label=_("secret"),
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Password, token, value of the header, or key. It is never shown; empty: it stays as it is."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = ((label, apps.get_model(label)._meta.verbose_name) for label in choosable())
        choices: dict[str, Any] = {
            "types": sorted(names, key=lambda choice: str(choice[1])),
            "events": [*Change.choices, *settings.NOTIFY_EVENTS.items()],
        }
        for name, known in choices.items():
            field = self.fields.get(name)
            if isinstance(field, forms.MultipleChoiceField):  # who may only look has none
                field.choices = known

    def clean(self) -> dict[str, Any] | None:
        """Seal the secret, so that the model can tell whether there is one."""
        cleaned = super().clean()
        if self.cleaned_data.get("new_secret"):
            try:
                self.instance.secret = self.cleaned_data["new_secret"]
            except ValidationError as error:
                self.add_error("new_secret", error)
        return cleaned


@admin.register(Webhook)
class WebhookAdmin(EntityAdmin):
    """Who is told what."""

    form = WebhookForm
    list_display = ("name", "url", "is_active", "waiting", "given_up")
    list_filter = ("is_active",)
    fields = (
        "name", "url", "is_active", "types", "events", "method", "format", "authentication", "username", "header",
        "new_secret", "timeout", "retries", "delay", "change_reason",
    )  # fmt: skip

    @admin.display(description=_("waiting"))
    def waiting(self, webhook: Webhook) -> int:
        """Messages."""
        return Delivery.objects.filter(webhook=webhook, state=Delivery.State.WAITING).count()

    @admin.display(description=_("given up"))
    def given_up(self, webhook: Webhook) -> int:
        """Messages."""
        return Delivery.objects.filter(webhook=webhook, state=Delivery.State.GIVEN_UP).count()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:  # Django's own types are longer
        """With what is filled in by the program."""
        shown = () if obj is None else (*self.get_readonly_fields(request, obj),)
        fields = (*(self.fields or ()), *shown)
        if obj is not None and not self.has_change_permission(request, obj):
            return tuple(name for name in fields if name not in ("new_secret", "change_reason"))
        return fields


@admin.register(Delivery)
class DeliveryAdmin(_Admin):
    """What waits, what arrived, and what was given up, with the reason."""

    list_display = ("created", "webhook", "event", "state", "attempts", "status", "said", "due")
    list_filter = ("state", "webhook", "event")
    list_select_related = ("webhook",)
    ordering = ("-pk",)
    actions = ("send_again",)

    @admin.action(description=_("Send again"))
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Under the same number: a receiver that has it already can tell."""
        now = timezone.now()
        number = queryset.update(
            state=Delivery.State.WAITING, attempts=0, due=now, created=now, finished=None, status=None, said=""
        )
        messages.success(request, gettext("Messages that wait again: %(number)d") % {"number": number})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
