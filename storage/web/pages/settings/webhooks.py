"""Who is told what: added, changed, switched off, tried; and what became of the last messages."""

from __future__ import annotations

import base64
import secrets
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from storage.entities.acting import acting
from storage.web.pages.settings.asking import ask, owners_only, user_of
from storage.webhooks.forms import WebhookForm
from storage.webhooks.models import Delivery, Webhook
from storage.webhooks.outbox import envelope

_RECENT = 20


class WebhookPageForm(WebhookForm):
    """As in the administration; a key that nobody entered is drawn, and shown once."""

    drawn: str | None = None

    class Meta:
        model = Webhook
        fields = (
            "name", "url", "is_active", "types", "events", "method", "format", "authentication", "username", "header",
            "new_secret", "timeout", "retries", "delay",
        )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["change_reason"]
        self.fields["username"].widget.attrs["autocomplete"] = "off"  # it is another program's

    @sensitive_variables("text")
    def clean(self) -> dict[str, Any] | None:
        """Draw a key where the signature has none."""
        cleaned = super().clean() or {}
        is_signed = cleaned.get("authentication") == Webhook.Authentication.HMAC
        if is_signed and not cleaned.get("new_secret") and not self.instance.sealed:
            text = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
            self.instance.secret = self.drawn = text
        return cleaned


@owners_only
@require_safe
@never_cache
def webhooks(request: HttpRequest) -> HttpResponse:
    """Those that there are."""
    rows = [
        {
            "row": row,
            "waiting": row.deliveries.filter(state=Delivery.State.WAITING).count(),
            "given_up": row.deliveries.filter(state=Delivery.State.GIVEN_UP).count(),
        }
        for row in Webhook.objects.order_by("name")
    ]
    return render(request, "storage/settings/webhooks.html", {"webhooks": rows, "is_on": settings.NOTIFY_CHANGES})


@owners_only
@never_cache
@sensitive_post_parameters("new_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """A new one."""
    return _edit(request, None)


@owners_only
@never_cache
@sensitive_post_parameters("new_secret")
@require_http_methods(["GET", "HEAD", "POST"])
def webhook(request: HttpRequest, uuid: str) -> HttpResponse:
    """One: to change, to try, and what became of its messages."""
    return _edit(request, get_object_or_404(Webhook, uuid=uuid))


def _edit(request: HttpRequest, row: Webhook | None) -> HttpResponse:
    form = WebhookPageForm(request.POST or None, instance=row, user=user_of(request))
    if form.is_valid():
        saved: Webhook = form.save()
        if form.drawn is not None:
            return render(request, "storage/settings/webhook_secret.html", {"row": saved, "text": form.drawn})
        messages.success(request, _told(form, saved, is_new=row is None))
        return redirect("settings_webhook", saved.uuid)
    recent = list(row.deliveries.order_by("-pk")[:_RECENT]) if row is not None else []
    title = Webhook.objects.filter(pk=row.pk).values_list("name", flat=True).first() if row is not None else None
    return render(
        request, "storage/settings/webhook.html", {"form": form, "row": row, "title": title, "recent": recent}
    )


def _told(form: WebhookPageForm, saved: Webhook, *, is_new: bool) -> str:
    if is_new:
        return gettext("The webhook {name} was added.").format(name=saved)
    if not form.changed_data:
        return gettext("Nothing was changed.")
    names = ", ".join(str(form.fields[name].label) for name in form.changed_data)
    return gettext("{name} was changed: {what}.").format(name=saved, what=names)


@owners_only
@require_POST
def try_(request: HttpRequest, uuid: str) -> HttpResponse:
    """Send one message of the event `test`, and say what came of it."""
    from storage.webhooks.sending import Outcome, attempt  # noqa: PLC0415  its HTTP library takes 20 MB

    row = get_object_or_404(Webhook, uuid=uuid)
    message = envelope("test", {"webhook": row.name}, subject=row)
    made = attempt(row, message["id"], message, private=settings.NOTIFY_PRIVATE, now=datetime.now(UTC))
    if made.outcome is Outcome.DELIVERED:
        messages.success(request, gettext("It arrived (the answer was {status}).").format(status=made.status))
    else:
        messages.error(request, gettext("It did not arrive: {why}").format(why=made.said))
    return redirect("settings_webhook", uuid)


@owners_only
@require_POST
def again(request: HttpRequest, uuid: str) -> HttpResponse:
    """What was given up waits anew, under the same numbers: a receiver that has one already can tell."""
    row, now = get_object_or_404(Webhook, uuid=uuid), timezone.now()
    number = row.deliveries.filter(state=Delivery.State.GIVEN_UP).update(
        state=Delivery.State.WAITING, attempts=0, due=now, created=now, finished=None, status=None, said=""
    )
    messages.success(request, gettext("Messages that wait again: %(number)d") % {"number": number})
    return redirect("settings_webhook", uuid)


@owners_only
@require_http_methods(["GET", "HEAD", "POST"])
def switch(request: HttpRequest, uuid: str) -> HttpResponse:
    """Off, which is asked once more, or on."""
    row = get_object_or_404(Webhook, uuid=uuid)
    if request.method == "POST":
        row.is_active = not row.is_active
        with acting(request.user):
            row.save(update_fields=["is_active"])
        text = gettext("{name} is told again.") if row.is_active else gettext("{name} is told nothing any more.")
        messages.success(request, text.format(name=row))
        return redirect("settings_webhooks")
    question = gettext("Tell {name} again?") if not row.is_active else gettext("Switch {name} off?")
    return ask(
        request, question.format(name=row),
        gettext("While it is off nothing is kept for it; what waits is sent once it is on again, unless too old."),
        gettext("Switch off") if row.is_active else gettext("Switch on"), reverse("settings_webhooks"),
    )  # fmt: skip
