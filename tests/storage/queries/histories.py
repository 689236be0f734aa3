"""Random histories of a meter, as the store holds them when they are new, thinned, or old."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from django.db.models import Q
from hypothesis import strategies as st

from bridge.tic.values import PARIS
from storage.models import Data, Epoch, Meter, Rollup
from tests.storage.engine import REGISTERS, Said, roll_up

BEGIN: Final = datetime(1970, 1, 1, tzinfo=UTC)
AUTUMN: Final = datetime(2026, 10, 24, 3, tzinfo=UTC)  # the next day has 25 hours
SPRING: Final = datetime(2026, 3, 28, 3, tzinfo=UTC)  # and this one's next 23
_GAPS: Final = (1080, 10_000, 31_000, 59_999, 60_000, 200_000, 240_000, 300_001, 900_000, 4_000_000, 20_000_000)


def at(ms: int) -> datetime:
    return BEGIN + timedelta(milliseconds=ms)


def ms_of(moment: datetime) -> int:
    return (moment - BEGIN) // timedelta(milliseconds=1)


@st.composite
def histories(draw: st.DrawFn, *, resets: bool = False) -> list[Said]:
    """Up to sixty readings over some days: silences, labels that were refused, and indexes that began anew."""
    ms = ms_of(draw(st.sampled_from((AUTUMN, SPRING)))) + draw(st.integers(0, 7_200_000))
    registers = {"east": 50_000, "easf01": 20_000, "easf02": 30_000, "eait": 900}
    said = []
    for gap in draw(st.lists(st.sampled_from(_GAPS), min_size=2, max_size=60)):
        rise, tariff, fate = draw(
            st.tuples(st.integers(0, 100), st.sampled_from(("easf01", "easf02")), st.integers(0, 30))
        )
        registers |= {"east": registers["east"] + rise, tariff: registers[tariff] + rise}
        registers["eait"] += rise % 7
        if resets and fate == 1 and registers["east"] >= 50_000:  # once: a small fall would be a late reading
            registers = dict.fromkeys(registers, rise)
        values: dict[str, int | None] = {
            **dict.fromkeys(REGISTERS),
            **registers,
            "sinsts": rise * 20,
            "sinsti": rise % 9,
        }
        if fate == 2:
            values["sinsts"] = None
        if fate == 3:
            values |= {"east": None, "eait": None}
        if fate == 4:
            values |= {"easf01": None}
        said.append(Said(ms, values))
        ms += gap
    return said


def write(said: Sequence[Said], name: str = "042161000001") -> Meter:
    """Store readings and their roll-ups."""
    meter = Meter.objects.create(meter_id=name, mode="standard", timezone=PARIS.key)
    epoch = Epoch.objects.create(meter=meter, uuid=UUID(int=meter.pk), bridge="attic", handled=len(said), floor=1)
    Data.objects.bulk_create(
        Data(meter=meter, epoch=epoch, seq=seq, dateTime=at(one.ms), **one.values) for seq, one in enumerate(said, 1)
    )
    roll_up(meter, PARIS)
    return meter


def thin(meter: Meter, *, minutes: bool) -> None:
    """What the retention leaves: of each hour the first and the last reading and the edges of silences."""
    rows = list(Data.objects.filter(meter=meter).order_by("dateTime"))
    kept = set()
    for row, after in pairwise([None, *rows, None]):
        if row is None or after is None or _is_edge(row.dateTime, after.dateTime):
            kept |= {one.pk for one in (row, after) if one is not None}
    Data.objects.filter(meter=meter).exclude(pk__in=kept).delete()
    meter.raw_since = rows[-1].dateTime + timedelta(days=1)
    meter.save()
    if not minutes:
        Rollup.objects.filter(Q(step=Rollup.Step.MINUTE), meter=meter).delete()


def _is_edge(before: datetime, after: datetime) -> bool:
    hours = [moment.replace(minute=0, second=0, microsecond=0) for moment in (before, after)]
    return hours[0] != hours[1] or after - before > timedelta(minutes=5)
