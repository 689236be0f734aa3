"""What the database knows of the hours of an index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.db.models import QuerySet

from storage.backfill.repair import HOUR, Hour
from storage.models import Dirty, Meter, Register, Rollup
from storage.queries import index_at
from storage.queries.buckets import Plain
from storage.queries.index import Indexes
from storage.queries.periods import instant
from storage.window import REGISTERS


class _Counted(NamedTuple):
    start: int
    wh: int
    is_estimated: bool


class Known:
    """The hours of a meter, of each register that it has."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._waiting = {int(at.timestamp()) for at in Dirty.objects.filter(meter=meter).values_list("hour", flat=True)}
        self._said: dict[int, Indexes] = {}
        self._until = dict(Register.objects.filter(meter=meter).values_list("name", "at"))

    def waiting(self, end: int) -> int:
        """Hours before `end` that the store has still to roll up."""
        return sum(hour < end for hour in self._waiting)

    def since(self) -> int | None:
        """The first hour that is known."""
        first = self._rows().order_by("start").values_list(Plain("start"), flat=True).first()
        return None if first is None else int(first)

    def hours(self, register: str, end: int) -> dict[int, Hour]:
        """Each known hour up to `end` by its start: the index at its ends, so that hours add up to the index."""
        until = self._until.get(register)
        if until is None:
            return {}
        end = min(end, int(until.timestamp()) // HOUR * HOUR)
        found: dict[int, Hour] = {}
        for run in self._runs(register, end):
            last = self._index(register, run[-1].start + HOUR)
            for one in reversed(run if last is not None else []):
                assert last is not None
                found[one.start] = Hour(last - one.wh, last, one.is_estimated)
                last -= one.wh
        return found

    def _rows(self) -> QuerySet[Rollup]:
        return Rollup.objects.filter(meter=self._meter, step=Rollup.Step.HOUR, origin=Rollup.Origin.METER)

    def _runs(self, register: str, end: int) -> Iterator[list[_Counted]]:
        """Hours that follow each other. A mark, or an index that began anew, parts them: nothing adds up across it."""
        rows = self._rows().filter(start__lt=instant(end), **{f"{register}__isnull": False}).order_by("start")
        run: list[_Counted] = []
        for start, wh, is_estimated, has_reset in rows.values_list(Plain("start"), register, "estimated", "has_reset"):
            parted = has_reset or start in self._waiting
            if run and (parted or start != run[-1].start + HOUR):
                yield run
                run = []
            if not parted:
                run.append(_Counted(start, wh, bool(is_estimated)))
        if run:
            yield run

    def _index(self, register: str, at: int) -> int | None:
        """What it had counted at the end of an hour."""
        if at not in self._said:
            self._said[at] = index_at(self._meter, instant(at))
        value = self._said[at].registers[REGISTERS.index(register)]
        return None if value is None else value.value
