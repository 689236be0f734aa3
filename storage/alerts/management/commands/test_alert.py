"""`ticbridge manage test_alert ADDRESS`: a test message by the configured mail server."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.core.validators import validate_email

from storage.alerts.errors import UndeliveredError
from storage.alerts.mail import send
from storage.alerts.texts import test_mail


class Command(BaseCommand):
    """Opens no database."""

    help = "Send a test message by the mail server of the configuration, and say what is wrong if it does not go."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """To whom."""
        parser.add_argument("address", help="The e-mail address that is to get it.")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run. A configuration that will not do leaves as `ConfigError`: exit code 78."""
        address = options["address"]
        try:
            validate_email(address)
        except ValidationError:
            raise CommandError(f"{address!r} will not do; expected an e-mail address") from None
        mail = settings.TICBRIDGE.mail
        try:
            send(mail, test_mail(address, f"test-{uuid4()}", settings.LANGUAGE_CODE))
        except UndeliveredError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"The mail server {mail.host}:{mail.port} took the message to {address}.")
