"""`ticbridge manage first_link`: the path that makes the first account, as `ticbridge web` prints it at its start."""

from __future__ import annotations

from typing import Any

from django.core.management import BaseCommand

from storage.web.accounts import start_link


class Command(BaseCommand):
    """Who may run this may read the database, too."""

    help = "Print the path that makes the first account, good for 15 minutes; nothing once there is one."

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        link = start_link()
        if link is not None:
            self.stdout.write(link)
