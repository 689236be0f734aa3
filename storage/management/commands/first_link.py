"""`ticbridge manage first_link`: the path that makes the first account, as `ticbridge web` prints it at its start."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from storage.migrate import migrate
from storage.web.accounts import start_link


class Command(BaseCommand):
    """Who may run this may read the database, too."""

    help = "Print the path that makes the first account, good for 15 minutes; nothing once there is one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """For a new installation, both in one process: Django takes seconds to start."""
        parser.add_argument("--migrate", action="store_true", help="Bring the database up to date before.")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        if options["migrate"]:
            migrate()
        link = start_link()
        if link is not None:
            self.stdout.write(link)
