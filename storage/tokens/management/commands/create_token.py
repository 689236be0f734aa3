"""`ticbridge manage create_token USER NAME --scope history`: a token, printed once."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand, CommandError
from django.utils import timezone

from storage.tokens.models import Scope, Token


class Command(BaseCommand):
    """The token alone goes to standard output, so that a script can keep it."""

    help = "Make a token for a program. It is shown once: only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, and what for."""
        add = parser.add_argument
        add("user", help="The account that the program acts for.")
        add("name", help="What it is for, such as `Grafana`.")
        add("--scope", action="append", choices=Scope.values, help="What it may do; may be given again.", required=True)
        add("--days", type=int, help="How long it is valid. Default: until it is revoked.")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        users = get_user_model()._default_manager
        user = users.filter(**{get_user_model().USERNAME_FIELD: options["user"], "is_active": True}).first()
        if user is None:
            raise CommandError(
                f"There is no active account {options['user']!r}; expected one of those that may log in."
            )
        days = options["days"]
        if days is not None and not 1 <= days <= 36_500:
            raise CommandError(f"--days {days} will not do; expected 1 to 36500.")
        expires = timezone.now() + timedelta(days=days) if days is not None else None
        _, text = Token.issue(user, options["name"], options["scope"], expires)
        self.stdout.write(text)
