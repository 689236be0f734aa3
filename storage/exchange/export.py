"""Readings and roll-ups out of the database, row by row: the memory it takes does not depend on how many there are."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import IO, Any, Final
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from storage.columns import MEASURES
from storage.models import Data, Meter, Rollup

CHUNK: Final = 2000  # rows that are in memory at once
_RAW: Final = ("dateTime", "date", "ltarf", "ntarf", *MEASURES, "extra")
_ENERGY: Final = ("east", *(f"easf{n:02}" for n in range(1, 11)), "eait")
_POWER: Final = (
    "readings", "sinsts_sum", "sinsts_min", "sinsts_max", "sinsti_readings", "sinsti_sum", "sinsti_max",
)  # fmt: skip
_BUCKET: Final = ("start", "origin", "covered", "estimated", "has_reset", *_POWER, *_ENERGY)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for one
STEPS: Final = {"minute": Rollup.Step.MINUTE, "hour": Rollup.Step.HOUR, "day": Rollup.Step.DAY}

Value = datetime | str | int | float | bool | None
Line = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """From when until when, without the end; None is open."""

    begins: datetime | None = None
    ends: datetime | None = None

    def of(self, rows: QuerySet[Any, Any], column: str) -> QuerySet[Any, Any]:
        """The rows within."""
        if self.begins is not None:
            rows = rows.filter(**{f"{column}__gte": self.begins})
        return rows if self.ends is None else rows.filter(**{f"{column}__lt": self.ends})


RAW_HEADER: Final = ("time", "meter", *_RAW[1:])
BUCKET_HEADER: Final = (
    "time", "meter", "origin", "readings", "covered", "estimated", "has_reset", "sinsts_mean", "sinsts_min",
    "sinsts_max", "sinsti_mean", "sinsti_max", *_ENERGY,
)  # fmt: skip


def readings(meter: Meter, period: Period) -> tuple[int, Iterator[Line]]:
    """How many readings, and each as a line of RAW_HEADER."""
    rows = period.of(Data.objects.filter(meter=meter), "dateTime")
    found = rows.order_by("dateTime", "pk").values_list(*_RAW).iterator(CHUNK)
    lines = ((row[0], meter.meter_id, *row[1:-1], _extra(row[-1])) for row in found)
    return rows.count(), lines


def _extra(value: Any) -> str | None:  # any JSON
    return None if value is None else json.dumps(value, ensure_ascii=False, sort_keys=True)


def buckets(meter: Meter, step: Rollup.Step, period: Period) -> tuple[int, Iterator[Line]]:
    """How many roll-ups, and one line of BUCKET_HEADER for each bucket, whatever gave it."""
    rows = period.of(Rollup.objects.filter(meter=meter, step=step), "start")
    found = rows.order_by("start", "origin").values_list(*_BUCKET).iterator(CHUNK)
    lines = (
        _line(meter, [dict(zip(_BUCKET, row, strict=True)) for row in group])
        for _, group in groupby(found, key=lambda row: row[0])
    )
    return rows.count(), lines


def _line(meter: Meter, rows: list[dict[str, Any]]) -> Line:
    """One bucket: energy from whom it is known best, power from the meter when it told any."""
    energy = best(rows)
    power = next((row for row in rows if row["readings"]), None) or next(
        (row for row in rows if row["sinsts_max"] is not None or row["sinsti_max"] is not None), energy
    )
    return (
        energy["start"], meter.meter_id, Rollup.Origin(energy["origin"]).name.lower(), power["readings"],
        energy["covered"], energy["estimated"], energy["has_reset"],
        _mean(power["sinsts_sum"], power["readings"]), power["sinsts_min"], power["sinsts_max"],
        _mean(power["sinsti_sum"], power["sinsti_readings"]), power["sinsti_max"],
        *(energy[name] for name in _ENERGY),
    )  # fmt: skip


def best(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Of a bucket's rows, that whose energy is shown: the meter's own, the file's where the meter only estimated."""
    known = [row for row in rows if row["east"] is not None or row["eait"] is not None] or rows
    own = [row for row in known if row["origin"] == Rollup.Origin.METER]
    if own and (own[0]["readings"] or not own[0]["estimated"] or len(known) == 1):
        return own[0]
    return next((row for row in known if row["origin"] == Rollup.Origin.ENEDIS), known[0])


def _mean(total: int | None, number: int) -> float | None:
    return None if total is None or not number else round(total / number, 1)


# --- formats -------------------------------------------------------------------------------------


class Csv:
    """Commas, points and ISO times; or as a French spreadsheet opens it: semicolons, commas, local times, a BOM."""

    def __init__(self, file: IO[str], header: tuple[str, ...], *, french: bool) -> None:
        self._french = french
        if french:
            file.write("\ufeff")
        self._writer = csv.writer(file, delimiter=";" if french else ",")
        self._writer.writerow(header)

    def write(self, lines: Iterable[Line], zone: ZoneInfo) -> Iterator[None]:
        """Write lines; yields after each."""
        for line in lines:
            self._writer.writerow([self._text(value, zone) for value in line])
            yield

    def _text(self, value: Value, zone: ZoneInfo) -> str | int | None:
        if isinstance(value, str):
            return f"'{value}" if value.startswith(_FORMULA) else value
        if isinstance(value, datetime):
            local = value.astimezone(zone)
            return f"{local:%d/%m/%Y %H:%M:%S}" if self._french else iso(local)
        if isinstance(value, float):
            return str(value).replace(".", ",") if self._french else str(value)
        return int(value) if isinstance(value, bool) else value


class JsonLines:
    """One object a line; what is not known is left out."""

    def __init__(self, file: IO[str], header: tuple[str, ...]) -> None:
        self._file = file
        self._header = header

    def write(self, lines: Iterable[Line], zone: ZoneInfo) -> Iterator[None]:
        """Write lines; yields after each."""
        for line in lines:
            said: dict[str, Value] = {}
            for name, value in zip(self._header, line, strict=True):
                if value is not None:
                    said[name] = iso(value.astimezone(zone)) if isinstance(value, datetime) else value
            self._file.write(json.dumps(said, ensure_ascii=False) + "\n")
            yield


def iso(at: datetime) -> str:
    """With milliseconds where there are any, and the offset."""
    return at.isoformat(timespec="milliseconds" if at.microsecond else "seconds")


def export(
    meters: Sequence[Meter], step: str, periods: Mapping[int, Period], writer: Csv | JsonLines,
    advance: Callable[[int], None],
) -> int:  # fmt: skip
    """Write the lines of each meter in turn, its period by its key; how many. `advance` hears percent."""
    written = 0
    for position, meter in enumerate(meters):
        period = periods[meter.pk]
        total, lines = readings(meter, period) if step == "raw" else buckets(meter, STEPS[step], period)
        for number, _ in enumerate(writer.write(lines, ZoneInfo(meter.timezone or "Europe/Paris")), 1):
            written += 1
            if number % CHUNK == 0:
                advance((100 * position + 100 * number // max(total, number)) // len(meters))
        advance(100 * (position + 1) // len(meters))
    return written
