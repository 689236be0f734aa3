"""`ticbridge manage ha_backfill`: give Home Assistant back the hours that it missed."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime, time
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from bridge.configfile import ConfigError
from storage.backfill.client import Hass, HassError
from storage.backfill.filling import UnitError, look, write
from storage.backfill.known import Known
from storage.backfill.repair import HOUR
from storage.backfill.said import lines, summary, waiting
from storage.buckets import zone_of
from storage.models import Meter
from storage.opening import at_work


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} will not do; expected a day such as 2026-01-15") from None


class Command(BaseCommand):
    """Says what is missing; writes with `--write`, and never twice: the same command again finds nothing to do."""

    help = (
        "Give Home Assistant back the hours that it missed, from the roll-ups; without --write it only says what would "
        "be written. Needs homeassistant.url and homeassistant.token_file, the token of an administrator."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Nothing is opened yet."""
        parser.add_argument("--write", action="store_true", help="Write; without it this is a dry run.")
        parser.add_argument("--meter", metavar="ID", help="This one alone. Default: every meter.")
        parser.add_argument("--since", type=_day, metavar="DAY", help="Leave what is older as it is.")

    def handle(self, *args: Any, **options: Any) -> None:  # Django's own signature
        """Run."""
        given = settings.TICBRIDGE.homeassistant
        if given.url is None:
            raise CommandError("homeassistant.url is not set in config.yaml: where is Home Assistant?")
        try:
            token = given.secret()
        except ConfigError as error:
            raise CommandError(str(error)) from None
        if token is None:
            raise CommandError(
                "homeassistant.token_file is not set in config.yaml: make a token on Home Assistant's page, under your "
                "name, Security, Long-lived access tokens"
            )
        try:
            with at_work(), Hass(given.url, token) as hass:
                self._run(hass, options["meter"], options["since"], writes=options["write"])
        except (HassError, UnitError) as error:
            raise CommandError(str(error)) from None

    def _run(self, hass: Hass, only: str | None, since: date | None, *, writes: bool) -> None:
        self.stdout.write(f"Home Assistant {hass.version} at {hass.url}")
        if not hass.is_administrator():
            sentence = "Its token is not an administrator's: it may read and not write"
            if writes:
                raise HassError(sentence)
            self.stdout.write(sentence)
        meters = list(Meter.objects.filter(**({"meter_id": only} if only else {})).order_by("pk"))
        if not meters:
            raise CommandError(f"There is no meter {only} in the database" if only else "The database has no meter yet")
        hours, statistics = 0, 0
        for meter in meters:
            zone = zone_of(meter.timezone)
            begin = None if since is None else int(datetime.combine(since, time(), zone).timestamp())
            known, now = Known(meter), int(datetime.now(UTC).timestamp())
            if late := known.waiting(now // HOUR * HOUR - HOUR):
                self.stdout.write(waiting(late))
            for found in look(hass, meter, known, now, begin):
                if writes and found.plan.repairs:
                    write(hass, found)
                for line in lines(found, zone):
                    self.stdout.write(line)
                hours += len(found.rows)
                statistics += 1
        self.stdout.write(summary(hours, statistics, writes=writes))
