"""`ticbridge manage roll_up`: what the store's worker does once a minute, by hand; `--all` from every reading anew."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import click
from django.core.management import BaseCommand

from storage.dirty import mark_all
from storage.models import Dirty, Meter
from storage.rollups import roll_up


class Command(BaseCommand):
    """May run beside the store: each transaction takes the marks that it works off."""

    help = "Bring minutes, hours and days up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One option."""
        parser.add_argument("--all", action="store_true", help="every hour of which readings are kept")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        if options["all"]:
            for meter in Meter.objects.all():
                mark_all(meter.pk)
        number = Dirty.objects.count()
        with click.progressbar(length=number, label=f"{number} hours") as bar:
            for done in roll_up():
                bar.update(done)
