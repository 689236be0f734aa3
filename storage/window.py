"""The readings that roll-ups of some hours need: those of the hours, and what was said before and after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import QuerySet

from storage.dbtime import Milliseconds
from storage.dirty import milliseconds
from storage.energy import SILENCE, Index
from storage.models import Data, Register

REGISTERS: Final = ("east", *(f"easf{n:02}" for n in range(1, 11)), "eait")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BESIDE: Final = 5  # readings before and after the hours that are read in any case


class Samples(NamedTuple):
    """When a register was said, and what."""

    times: Sequence[int]
    values: Sequence[int]


Row = tuple[Any, ...]  # milliseconds, sinsts, sinsti, the registers: numbers or None


@dataclass(frozen=True, slots=True)
class Window:
    """Readings in the order of time, by column, from some before `start` to some after `end` (milliseconds)."""

    start: int
    end: int
    times: Sequence[int]
    sinsts: Sequence[int | None]
    sinsti: Sequence[int | None]
    indexes: dict[str, Index]  # of the registers that are known here
    samples: dict[str, Samples]


def moment(ms: int) -> datetime:
    """The instant."""
    return _EPOCH + timedelta(milliseconds=ms)


def read_window(meter: int, start: int, end: int) -> Window:
    """The window of `start`..`end`, milliseconds; `start == end` reads what stands around a moment."""
    rows = _rows(meter, start, end)
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in range(3 + len(REGISTERS))]
    times: Sequence[int] = columns[0]
    known = {register.name: register for register in Register.objects.filter(meter=meter)}
    indexes, samples = {}, {}
    for name, values in zip(REGISTERS, columns[3:], strict=True):
        said, counts = _said(times, values)
        before, after = _beside(meter, known.get(name), start, end, said)
        if before is not None:
            said, counts = [before[0], *said], [before[1], *counts]
        if after is not None:
            said, counts = [*said, after[0]], [*counts, after[1]]
        if said:
            indexes[name], samples[name] = Index.of(said, counts), Samples(said, counts)
    return Window(start, end, times, columns[1], columns[2], indexes, samples)


def _said(times: Sequence[int], values: Sequence[int | None]) -> tuple[Sequence[int], Sequence[int]]:
    """The moments at which a register was said, and what: mostly all or none."""
    if None not in values:
        return times, values  # type: ignore[return-value]  # just shown
    pairs = [(at, value) for at, value in zip(times, values, strict=True) if value is not None]
    return [at for at, _ in pairs], [value for _, value in pairs]


def _query(meter: int) -> QuerySet[Data, Row]:
    rows: Any = Data.objects.filter(meter=meter).annotate(ms=Milliseconds("dateTime"))
    return rows.values_list("ms", "sinsts", "sinsti", *REGISTERS)  # type: ignore[no-any-return]


def _rows(meter: int, start: int, end: int) -> list[Row]:
    """Those of the hours and of some minutes beside them; at least five on each side, however far away."""
    low, high = moment(start - SILENCE), moment(end + SILENCE)
    order = ("dateTime", "epoch", "seq")
    rows = list(_query(meter).filter(dateTime__gte=low, dateTime__lt=high).order_by(*order))
    if len(rows) < _BESIDE or rows[_BESIDE - 1][0] >= start:
        before = _query(meter).filter(dateTime__lt=low).order_by(*(f"-{name}" for name in order))[:_BESIDE]
        rows = [*reversed(list(before)), *rows]
    if len(rows) < _BESIDE or rows[-_BESIDE][0] < end:
        rows += _query(meter).filter(dateTime__gte=high).order_by(*order)[:_BESIDE]
    return rows


def _beside(
    meter: int, register: Register | None, start: int, end: int, said: Sequence[int]
) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
    """What a register said last before, and first after, where the readings beside the hours do not say it."""
    if register is None:
        return None, None
    before = after = None
    since, newest = milliseconds(register.since), milliseconds(register.at)
    if since < start and not (said and said[0] < start):
        if newest < start:
            before = newest, register.value
        else:
            before = _nearest(meter, register.name, {"dateTime__lt": moment(start)}, "-")
    if newest >= end and not (said and said[-1] >= end):
        after = _nearest(meter, register.name, {"dateTime__gte": moment(end)}, "")
    return before, after


def _nearest(meter: int, name: str, where: dict[str, datetime], order: str) -> tuple[int, int] | None:
    rows: Any = Data.objects.filter(meter=meter, **where, **{f"{name}__isnull": False})
    rows = rows.annotate(ms=Milliseconds("dateTime"))
    found: tuple[int, int] | None = (
        rows.order_by(*(f"{order}{field}" for field in ("dateTime", "epoch", "seq"))).values_list("ms", name).first()
    )
    return found
