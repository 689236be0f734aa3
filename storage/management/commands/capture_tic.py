"""`ticbridge manage capture_tic`: the line of a meter straight to the database, without a broker."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, connection

from bridge.source import SourceError
from bridge.tic.catalogue import BAUD
from storage.alerts.service import alerting
from storage.alerts.watching import Watcher
from storage.capture import Capture
from storage.dry_run import show
from storage.migrate import migrate
from storage.opening import at_work, not_opened
from storage.order import Order, chosen_meter
from storage.worker import Worker

_LOCK_WAIT = 1  # seconds that SQLite may wait for a lock by itself: it hears no signal meanwhile


def _at_least(least: float, kind: type[float]) -> Any:  # what argparse calls a type
    def read(text: str) -> float:
        try:
            if (value := kind(text)) >= least:
                return value
        except ValueError:
            pass
        raise ArgumentTypeError(f"{text!r} will not do; expected a number from {least:g}")

    return read


def _start(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} will not do; expected a local time such as 2026-01-15T18:00") from None


class Command(BaseCommand):
    """Reads until it is stopped; a recorded file to its end."""

    help = "Read a meter and store its readings, without a broker. The bridge must not read the same port."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Nothing is opened yet."""
        add = parser.add_argument
        add(
            "--port",
            help="A port, auto, socket://host:port, a .tic file, sim:tempo. Default: the first meter's source.",
        )
        add("--baud", type=int, choices=sorted(BAUD.values()), help="The speed, which tells the mode too.")
        add(
            "--mode",
            choices=("auto", "historique", "standard"),
            help="Default: as configured, else found by listening.",
        )
        add("--interval", type=_at_least(0, float), help="Seconds between two readings. Default: reading.interval.")
        add("--once", action="store_true", help="Store one reading and end.")
        add("--dry-run", action="store_true", help="Print what is read; write nothing, open no database.")
        add(
            "--max-errors", type=_at_least(1, int), default=10, help="Failing writes in a row after which it ends (10)."
        )
        add("--start", type=_start, help="When a recording of mode historique begins: it does not tell.")
        add("--no-migrate", action="store_true", help="Leave the database's schema alone.")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        try:
            meter = chosen_meter(settings.TICBRIDGE.meters, options["port"], options["mode"], options["baud"])
        except ValueError as error:
            raise CommandError(str(error)) from None
        start = options["start"]
        order = Order(
            meter,
            settings.TICBRIDGE.reading.interval if options["interval"] is None else options["interval"],
            options["once"],
            options["max_errors"],
            start if start is None or start.tzinfo else start.replace(tzinfo=meter.zone),
        )
        try:
            if options["dry_run"]:
                sys.exit(show(order, self.stdout.write))
            capture = Capture(settings.TICBRIDGE, order, Watcher().take)
        except SourceError as error:
            raise CommandError(str(error)) from None
        if connection.vendor == "sqlite":
            connection.settings_dict["OPTIONS"]["timeout"] = _LOCK_WAIT
        if not options["no_migrate"]:
            try:
                migrate()
            except (DatabaseError, OSError) as error:
                raise CommandError(not_opened(error)) from None
        with at_work(), alerting(settings.TICBRIDGE):
            worker = Worker(settings.TICBRIDGE.storage)
            worker.start()
            code = capture.run(on_stop=lambda line: self.stderr.write(line, style_func=str))
            worker.stop()
        sys.exit(code)
