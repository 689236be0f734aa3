"""Webhooks for their owner to edit, and the outbox to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from storage.entities.admin import EntityAdmin
from storage.webhooks.forms import WebhookForm
from storage.webhooks.models import Delivery, Webhook

if TYPE_CHECKING:  # generic to the type checker only
    _Admin = admin.ModelAdmin[Any]
else:
    _Admin = admin.ModelAdmin


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
