"""`ticbridge manage send_webhook NAME`: a message to try a webhook with, sent at once, and what came of it."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from storage.webhooks.models import Webhook
from storage.webhooks.outbox import envelope
from storage.webhooks.sending import Outcome, attempt


class Command(BaseCommand):
    """Sends once, whatever NOTIFY_CHANGES says: who asks for it wants to see it arrive."""

    help = "Send one message of the event `test` to a webhook, and say what came of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which."""
        parser.add_argument("name", help="The webhook's name.")

    def handle(self, *args: Any, name: str, **options: Any) -> None:  # Django's own signature
        """Run."""
        webhook = Webhook.objects.filter(name=name).first()
        if webhook is None:
            there = ", ".join(Webhook.objects.order_by("name").values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no webhook {name!r}; expected one of those under Administration: {there}.")
        message = envelope("test", {"webhook": webhook.name}, subject=webhook)
        made = attempt(webhook, message["id"], message, private=settings.NOTIFY_PRIVATE, now=datetime.now(UTC))
        if made.outcome is not Outcome.DELIVERED:
            raise CommandError(f"{webhook.url} did not take it: {made.said}.")
        self.stdout.write(f"{webhook.url} took it (answered {made.status}).")
