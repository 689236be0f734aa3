"""`ticbridge manage login_link USER`: a way in for who forgot a password, or is kept out by somebody else's guesses."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import BaseCommand, CommandError

from storage.web.accounts import login_link


class Command(BaseCommand):
    """Who may run this may read the database, too."""

    help = "Print a link that logs an account in, once, without its password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose."""
        parser.add_argument("user", help="The account's name.")

    def handle(self, *args: Any, user: str, **options: Any) -> None:  # Django's own signature
        """Run."""
        found = User.objects.filter(username=user, is_active=True).first()
        if found is None:
            raise CommandError(f"There is no active account {user!r}; expected one of those that may log in.")
        web = settings.TICBRIDGE.web
        self.stdout.write((web.base_url or f"http://{web.listen}").rstrip("/") + login_link(found))
