"""`ticbridge manage compare_contracts`: what the past would have cost under each known offer, and why."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management import BaseCommand, CommandError

from storage.buckets import zone_of
from storage.models import Meter
from storage.tariffs import loading
from storage.tariffs.daily import costs
from storage.tariffs.offers import compare_offers
from storage.tariffs.report import lines


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} will not do; expected a day such as 2026-01-31") from None


class Command(BaseCommand):
    """Reads only."""

    help = "What a past range would have cost under each offer whose prices are known, the cheapest first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """All may be left out."""
        add = parser.add_argument
        add("--from", dest="first", type=_day, metavar="DAY", help="Default: a year before the last day.")
        add("--to", dest="last", type=_day, metavar="DAY", help="The last day. Default: the last whole one.")
        add("--meter", help="Its number or name, or the end of its number. Default: the only one.")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        meter = _chosen(options["meter"])
        span = loading.span(meter.pk)
        if span is None:
            raise CommandError(f"Meter {meter} has no energy yet; expected at least an hour of readings, or an import.")
        where = zone_of(meter.timezone)
        begin, end = (datetime.fromtimestamp(at, UTC).astimezone(where).date() for at in span)
        last = options["last"] or max(begin, end - timedelta(days=1))
        first = options["first"] or max(begin, last - timedelta(days=364))
        if first > last:
            raise CommandError(f"--from {first} comes after --to {last}; expected the earlier day first.")
        paid = costs(meter, first, last).total
        for line in lines(str(meter), first, last, compare_offers(meter, first, last), paid):
            self.stdout.write(line)


def _chosen(wanted: str | None) -> Meter:
    found = list(_matching(wanted))
    if len(found) == 1:
        return found[0]
    there = ", ".join(f"...{meter.meter_id[-4:]}" for meter in Meter.objects.order_by("meter_id"))
    if not there:
        raise CommandError("There is no meter yet: nothing was stored. Start the store, or import a file.")
    asked = "There are several meters" if wanted is None else f"{len(found)} meters are meant by --meter {wanted}"
    raise CommandError(f"{asked}; expected --meter with one of {there}.")


def _matching(wanted: str | None) -> Iterator[Meter]:
    for meter in Meter.objects.order_by("meter_id"):
        if wanted is None or wanted == meter.name or meter.meter_id.endswith(wanted.lstrip(".")):
            yield meter
