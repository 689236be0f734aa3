"""The command import: tutorial, enedis, prices."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from storage.exchange.progress import progress
from storage.exchange.said import said
from storage.opening import at_work, open_django
from storage.tariffs.cli import prices

if TYPE_CHECKING:  # Django first
    from storage.exchange.take_tutorial import Taken
    from storage.exchange.tutorial import Clock, Tutorial

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _zone(_context: click.Context, _option: click.Parameter, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise click.BadParameter(f"{name!r} is no time zone; expected one such as Europe/Paris") from None


meter_option = click.option("--meter", metavar="ID", help="Whose it is; needed unless there is exactly one meter.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")


@click.group()
def import_() -> None:
    """Take in a file. What is there already is never doubled: the same command again does no harm."""


import_.add_command(prices)


@import_.command()
@click.argument("file", type=FILE)
@meter_option
@click.option("--timezone", "zone", default="Europe/Paris", show_default=True, callback=_zone, help="Of local times.")
@click.option(
    "--clock", type=click.Choice(["auto", "utc", "local"]), default="auto", show_default=True,
    help="What the times are; auto compares them with the meter's own stamps.",
)  # fmt: skip
@dry_run_option
@click.pass_obj
def tutorial(config: Any, file: Path, meter: str | None, zone: ZoneInfo, clock: str, dry_run: bool) -> None:
    """The SQLite database of the tutorial (table ticapp_data). Stop the tutorial's program first."""
    config()
    open_django()
    from storage.exchange.meters import find_meter  # noqa: PLC0415  Django first
    from storage.exchange.take_tutorial import take  # noqa: PLC0415
    from storage.exchange.tutorial import Clock, opened  # noqa: PLC0415

    stays = "what was taken in stays; the same command again goes on from there"
    with at_work(), said(stays), opened(file) as source:
        whose = find_meter(meter, zone.key)
        which = source.clock(zone) if clock == "auto" else Clock[clock.upper()]
        with progress("read", len(source)) as advance:
            taken = take(source, whose, zone, which, datetime.now(UTC), dry_run=dry_run, advance=advance)
        for line in _report(source, which, taken, dry_run):
            click.echo(line)


@import_.command()
@click.argument("file", type=FILE)
@meter_option
@click.option("--as", "way", type=click.Choice(["consumption", "production"]), help="What it must be; refused if not.")
@dry_run_option
@click.pass_obj
def enedis(config: Any, file: Path, meter: str | None, way: str | None, dry_run: bool) -> None:
    """A file that Enedis gives out (CSV or XLSX): load curve, indexes, daily energy, daily maximum power.

    Its layout is seen from its content. Where the meter itself was heard, its own values stand; the report says how
    far the two differ.
    """
    config()
    open_django()
    from storage.exchange.enedis.blocks import Direction  # noqa: PLC0415  Django first
    from storage.exchange.enedis.report import lines  # noqa: PLC0415
    from storage.exchange.enedis.take import take  # noqa: PLC0415
    from storage.exchange.meters import find_meter  # noqa: PLC0415

    with at_work(), said("what was taken in stays; the same command again takes in the rest"):
        whose = find_meter(meter)
        with progress("taken in", 100) as advance:
            results = take(file, whose, Direction(way) if way else None, dry_run=dry_run, advance=advance)
        for line in lines(results, dry_run=dry_run):
            click.echo(line)


def _report(source: Tutorial, clock: Clock, taken: Taken, dry_run: bool) -> list[str]:
    would = "would be " if dry_run else ""
    lines = [f"{source.path}: the tutorial's table, {len(source)} rows, times in {clock.value}"]
    if taken.begins and taken.ends:
        lines.append(f"from {taken.begins.isoformat()} to {taken.ends.isoformat()}")
    lines.append(f"{taken.stored} rows {would}stored, {taken.there} there already")
    lines += _counted(source.refused, "row refused:", "rows refused:")
    lines += _counted(source.emptied, "value left out: column", "values left out: column")
    return lines


def _counted(reasons: Counter[str], one: str, many: str) -> list[str]:
    return [f"{number} {one if number == 1 else many} {reason}" for reason, number in sorted(reasons.items())]
