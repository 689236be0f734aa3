"""`ticbridge manage import_prices FILE`: a price list of the regulator."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from storage.tariffs.importing import import_prices
from storage.tariffs.regulator import RegulatorError


class Command(BaseCommand):
    """The same file again changes nothing."""

    help = "Take in a price list of the regulator (CRE, data.gouv.fr): Base, HP/HC or Tempo. What you changed stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """A file."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--dry-run", action="store_true", help="tell what would be done, do nothing")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        try:
            imported = import_prices(options["file"], dry_run=options["dry_run"])
        except (RegulatorError, OSError) as error:
            raise CommandError(f"{options['file']}: {error}") from None
        for line in imported.lines():
            self.stdout.write(line)
