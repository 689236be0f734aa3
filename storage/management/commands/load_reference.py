"""`ticbridge manage load_reference`: the prices that come with ticbridge; what their owner changed stays."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import BaseCommand

from storage.tariffs.age import age_of
from storage.tariffs.models import Offer
from storage.tariffs.shipping import load_reference


class Command(BaseCommand):
    """May be run at any time, and again."""

    help = "Load the prices that come with ticbridge. What you changed stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Two options."""
        parser.add_argument("--force", action="store_true", help="overwrite what was changed too (history keeps it)")
        parser.add_argument("--dry-run", action="store_true", help="tell what would be done, do nothing")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        outcome = load_reference(force=options["force"], dry_run=options["dry_run"])
        for text in outcome.kept:
            self.stdout.write(f"kept: {text}")
        self.stdout.write(f"{'would be: ' if options['dry_run'] else ''}{outcome}")
        for offer in Offer.objects.order_by("code"):
            if (age := age_of(offer)) is not None:
                self.stdout.write(f"{offer.code}: {age.in_english()}")
