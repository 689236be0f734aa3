"""`ticbridge manage seed_demo`: what `ticbridge demo` needs in its database before it starts."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management import BaseCommand

from bridge.simulated.meter import read_plan
from storage.migrate import migrate
from storage.seed import seed
from storage.web.accounts import login_link


class Command(BaseCommand):
    """Migrates, writes each meter's history, makes the user `demo` and prints a login link."""

    help = "Prepare the database of `ticbridge demo`; prints a single-use login path."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Each plan as in `sim:`."""
        parser.add_argument("plans", nargs="+")
        parser.add_argument("--days", type=int, default=56)

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        migrate()
        for text in options["plans"]:
            seed(read_plan(text)[0], datetime.now(UTC), options["days"])
        user, made = get_user_model().objects.get_or_create(
            username="demo", defaults={"is_staff": True, "is_superuser": True}
        )
        if made:
            user.set_unusable_password()
            user.save()
        self.stdout.write(login_link(user))
