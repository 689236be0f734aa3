"""The demo's past: as the store would have left it, and without a step to what the simulated meter says then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bridge.envelope import Envelope
from bridge.simulated.meter import Plan, SimulatedMeter, read_plan
from bridge.tic.decode import Decoder
from bridge.tic.values import PARIS
from storage.columns import columns
from storage.dirty import milliseconds
from storage.models import Data, Dirty, Epoch, Meter, Register, Rollup
from storage.seed import Seeded, seed
from storage.seed.flow import STEP, Flow
from storage.seed.readings import READING, readings
from storage.seed.rollups import ROLLUP, rollups
from tests.storage.engine import REGISTERS, Bucket, Said, buckets

NOW = datetime(2026, 10, 26, 10, 20, 17, tzinfo=UTC)  # the day before had 25 hours
PLANS = (
    "tempo", "tempo?mode=historique&seed=2", "base?mode=historique&phases=3", "producer?phases=3&seed=4",
    "hchp?phases=3&overload=1", "producer?mode=historique",
)  # fmt: skip
SEAM = datetime(2026, 10, 26, 4, tzinfo=UTC)  # six hours before, from a whole hour on
RUNNING = NOW.replace(minute=0, second=0)


def past(text: str = "tempo", days: int = 1, raw: int = 6) -> Meter:
    plan = read_plan(text)[0]
    seed(plan, NOW, days, raw)
    return Meter.objects.get(meter_id=plan.meter_id)


def all_said(flow: Flow) -> list[Said]:
    """Every reading, one at each step of the power."""
    names = READING[4:]
    return [
        Said(milliseconds(one.at), {k: v for k, v in zip(names, one.values, strict=True) if not isinstance(v, str)})
        for one in readings(flow, flow.begin, STEP)
    ]


@pytest.mark.parametrize("text", PLANS)
@pytest.mark.parametrize("end", [NOW, datetime(2026, 3, 30, 10, 20, 17, tzinfo=UTC)], ids=["25 h", "23 h"])
def test_roll_ups_are_those_of_the_readings_of_which_the_edges_are_left(text: str, end: datetime) -> None:
    until = int(end.timestamp()) // 3600 * 3600 - 6 * 3600
    flow = Flow.of(read_plan(text)[0], _midnight(until) - _day_before(until), int(end.timestamp()))
    said = all_said(flow)
    expected = [one for one in buckets(said, PARIS) if _ends(one) <= until]
    found = sorted((_bucket(row) for row in rollups(flow, until)), key=lambda one: (one.step, one.start))
    assert found == expected


def _midnight(at: int) -> int:
    return int(datetime.fromtimestamp(at, PARIS).replace(hour=0, minute=0, second=0).timestamp())


def _day_before(at: int) -> int:
    return _midnight(at) - _midnight(_midnight(at) - 1)


def _ends(one: Bucket) -> int:
    return one.start + (one.covered if one.step == Rollup.Step.DAY else one.step)


def _bucket(row: tuple[int | None, ...]) -> Bucket:
    own = dict(zip(ROLLUP, row, strict=True))
    number = {name: value for name, value in own.items() if value is not None}
    return Bucket(
        number["step"], number["start"], number["readings"], number["covered"],
        (own["sinsts_sum"], own["sinsts_min"], own["sinsts_max"]),
        (number["sinsti_readings"], own["sinsti_sum"], own["sinsti_max"]),
        {name: own[name] for name in REGISTERS}, bool(own["estimated"]), bool(own["has_reset"]),
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("text", PLANS)
def test_no_register_steps_where_roll_ups_end_or_where_the_meter_begins(text: str) -> None:
    meter = past(text)
    hours = Rollup.objects.filter(meter=meter, step=Rollup.Step.HOUR).order_by("start")
    for name in REGISTERS:
        at_seam = Data.objects.get(meter=meter, dateTime=RUNNING)
        oldest, newest = (Data.objects.filter(meter=meter).order_by(key)[0] for key in ("dateTime", "-dateTime"))
        before, seam, after = (getattr(row, name) for row in (oldest, at_seam, newest))
        energies = [getattr(hour, name) for hour in hours]
        assert sum(filter(None, energies)) == (0 if before is None else seam - before)
        assert (set(energies) == {None}) is (before is None)
        assert after == said_first(read_plan(text)[0]).get(name)


def said_first(plan: Plan) -> dict[str, object]:
    """The columns of the first reading that the store takes of the simulated meter."""
    at = NOW + timedelta(seconds=5)
    decoded = Decoder().decode(SimulatedMeter(plan, at).frame(at))
    assert decoded.reading is not None
    said = {slug: v for slug, v in decoded.reading.model_dump(exclude_none=True).items() if type(v) in (int, str)}
    return columns(
        Envelope.model_validate({
            "meter": plan.meter_id, "bridge": "b", "epoch": "3e5c7c0a-1111-4222-8333-444455556666", "seq": 1,
            "floor": 1, "ts": "2026-10-26T10:20:22.000Z", "tz": "Europe/Paris", "mode": plan.mode.value, "values": said,
            "derived": {},
        })
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("text", PLANS)
def test_a_past_reading_fills_the_columns_that_the_meter_fills_then(text: str) -> None:
    newest = Data.objects.filter(meter=past(text)).order_by("-dateTime")[0]
    filled = {name for name in READING[4:] if getattr(newest, name) is not None} - {"ntarf"}
    assert filled == set(said_first(read_plan(text)[0])) & set(READING[4:]) - {"ntarf"}
    assert (newest.date is None) is ("historique" in text)


@pytest.mark.django_db
def test_of_rolled_up_hours_the_edges_are_left_and_one_hour_more_than_asked_is_whole() -> None:
    meter = past()
    rows = list(Data.objects.filter(meter=meter).order_by("dateTime"))
    whole = SEAM - timedelta(hours=1)
    assert meter.raw_since == whole
    edges = [row.dateTime for row in rows if row.dateTime < whole]
    assert {(at.minute, at.second) for at in edges} == {(0, 0), (59, 50)}
    assert {b - a for a, b in pairwise(edges)} == {timedelta(seconds=10), timedelta(minutes=59, seconds=50)}
    raw = [row.dateTime for row in rows if row.dateTime >= whole]
    assert {b - a for a, b in pairwise(raw)} == {timedelta(seconds=10)}
    assert raw[-1] == NOW.replace(second=10)
    assert [row.seq for row in rows] == [1 + (row.dateTime - rows[0].dateTime) // timedelta(seconds=10) for row in rows]


@pytest.mark.django_db
def test_all_is_rolled_up_but_the_hour_that_runs_which_is_marked() -> None:
    meter = past()
    mark = Dirty.objects.get(meter=meter)
    assert mark.hour == RUNNING
    assert (mark.first, mark.last) == (milliseconds(RUNNING), milliseconds(NOW.replace(second=10)))
    last = Rollup.objects.filter(meter=meter, step=Rollup.Step.HOUR).order_by("-start")[0]
    assert last.start == RUNNING - timedelta(hours=1)


@pytest.mark.django_db
def test_registers_hold_what_the_newest_reading_says() -> None:
    meter = past("hchp?mode=historique")
    newest = Data.objects.filter(meter=meter).order_by("-dateTime")[0]
    held = {one.name: (one.value, one.at) for one in Register.objects.filter(meter=meter)}
    assert held == {name: (getattr(newest, name), newest.dateTime) for name in ("east", "easf01", "easf02")}
    assert Epoch.objects.get(meter=meter).handled == newest.seq


@pytest.mark.django_db
def test_the_same_seed_gives_the_same_past_and_a_meter_with_a_past_keeps_it() -> None:
    plan = read_plan("tempo")[0]
    first = seed(plan, NOW, 1, 6)
    rows = list(Data.objects.values_list("dateTime", "sinsts", "east", "date"))
    assert seed(plan, NOW + timedelta(days=1), 1, 6) == Seeded()
    assert list(Data.objects.values_list("dateTime", "sinsts", "east", "date")) == rows
    Meter.objects.all().delete()
    assert seed(plan, NOW, 1, 6) == first
    assert list(Data.objects.values_list("dateTime", "sinsts", "east", "date")) == rows
