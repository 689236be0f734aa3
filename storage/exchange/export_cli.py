"""The command export: data."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from storage.exchange.errors import ExchangeError
from storage.exchange.files import written
from storage.exchange.progress import progress
from storage.exchange.said import said
from storage.opening import at_work, open_django
from storage.when import parse_when

if TYPE_CHECKING:  # Django first
    from storage.exchange.export import Period
    from storage.models import Meter

_WHEN = "such as 2026-11-28, 28/11/2026, 2026-11 or yesterday"


@click.group()
def export() -> None:
    """Give data out."""


@export.command()
@click.option("--meter", metavar="ID", help="Of one meter; else of all.")
@click.option("--from", "begins", metavar="WHEN", help=f"From here on: {_WHEN}, in the meter's time zone.")
@click.option("--to", "ends", metavar="WHEN", help="Up to here; a day, a month or a year is included.")
@click.option(
    "--step", type=click.Choice(["raw", "minute", "hour", "day"]), default="hour", show_default=True,
    help="Each reading, or roll-ups.",
)  # fmt: skip
@click.option("--format", "form", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--excel-fr", "french", is_flag=True, help="CSV that a French spreadsheet opens by a double click.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file, replaced when all is written.")
@click.pass_obj
def data(
    config: Any, meter: str | None, begins: str | None, ends: str | None, step: str, form: str, french: bool,
    output: Path | None,
) -> None:  # fmt: skip
    """Readings or roll-ups as CSV or JSON lines, to standard output or a file."""
    if french and form != "csv":
        raise click.UsageError("--excel-fr is a kind of CSV")
    config()
    open_django()
    from storage.exchange.export import BUCKET_HEADER, RAW_HEADER, Csv, JsonLines  # noqa: PLC0415
    from storage.exchange.export import export as give  # noqa: PLC0415

    now = datetime.now(UTC)
    header = RAW_HEADER if step == "raw" else BUCKET_HEADER
    with at_work(), said("the file is what it was"):
        whose = _meters(meter)
        periods = {one.pk: _period(one, begins, ends, now) for one in whose}
        with _out(output) as file, progress("written", 100) if output else nullcontext(_quiet) as show:
            writer = Csv(file, header, french=french) if form == "csv" else JsonLines(file, header)
            number = give(whose, step, periods, writer, show)
    if output:
        click.echo(f"ticbridge: {number} rows written to {output}", err=True)


def _quiet(_done: int) -> None:
    """Standard output may be the terminal that a bar would be drawn on."""


def _meters(meter_id: str | None) -> list[Meter]:
    from storage.models import Meter  # noqa: PLC0415  Django first

    found = Meter.objects.order_by("pk")
    if meter_id is not None:
        found = found.filter(meter_id=meter_id)
        if not found:
            known = ", ".join(Meter.objects.values_list("meter_id", flat=True)[:10]) or "none yet"
            raise ExchangeError(f"there is no meter {meter_id!r}; known are {known}")
    return list(found)


def _period(meter: Meter, begins: str | None, ends: str | None, now: datetime) -> Period:
    from storage.exchange.export import Period  # noqa: PLC0415  Django first

    zone = ZoneInfo(meter.timezone or "Europe/Paris")
    try:
        return Period(
            parse_when(begins, zone, now=now) if begins else None,
            parse_when(ends, zone, now=now, end=True) if ends else None,
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None


@contextmanager
def _out(path: Path | None) -> Iterator[IO[str]]:
    if path is None:
        file = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)
        try:
            yield file
            file.flush()
        finally:
            file.detach()  # standard output is not ours to close
        return
    with written(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file
