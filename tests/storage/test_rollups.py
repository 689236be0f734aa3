"""Whatever came, in whatever order: the roll-ups are those of one pass over all readings, in plain loops."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Max
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.bucket import POWER
from storage.dirty import mark
from storage.models import Data, Dirty, Epoch, Meter, Register, Rollup
from storage.rollups import roll_up
from tests.storage import reference_rollups as reference
from tests.storage.reference_rollups import REGISTERS, Reading

EPOCH0: Final = datetime(1970, 1, 1, tzinfo=UTC)
TEN: Final = 1_795_255_200_000  # 2026-11-21 10:00 UTC, milliseconds


def new_meter(zone: str = "Europe/Paris") -> Epoch:
    meter = Meter.objects.create(meter_id=uuid.uuid4().hex[:12], mode="standard", timezone=zone)
    return Epoch.objects.create(meter=meter, uuid=uuid.uuid4(), bridge="test", handled=0, floor=1)


def add(epoch: Epoch, readings: Sequence[Reading]) -> None:
    """As any writer of readings does: rows and marks in one transaction."""
    seq = Data.objects.filter(epoch=epoch).aggregate(last=Max("seq"))["last"] or 0
    rows = [
        Data(
            meter_id=epoch.meter_id,
            epoch=epoch,
            seq=seq + n,
            dateTime=EPOCH0 + timedelta(milliseconds=r.ms),
            **r.values,
        )
        for n, r in enumerate(readings, 1)
    ]
    with transaction.atomic():
        Data.objects.bulk_create(rows)
        mark({epoch.meter_id: [row.dateTime for row in rows]})


def turn() -> None:
    for _ in roll_up():
        pass
    assert not Dirty.objects.exists()


def rows(meter: int) -> dict[tuple[int, int], dict[str, Any]]:
    """What is in the table, as the reference says it."""
    found = {}
    for row in Rollup.objects.filter(meter=meter):
        known = {name: getattr(row, name) for name in REGISTERS if getattr(row, name) is not None}
        columns = {name: getattr(row, name) for name in (*POWER, "estimated", "has_reset")}
        found[row.step, int(row.start.timestamp())] = {**columns, **known}
    return found


def expected(meter: int) -> dict[tuple[int, int], dict[str, Any]]:
    zone = Meter.objects.get(pk=meter).timezone
    stored = Data.objects.filter(meter=meter).order_by("dateTime", "epoch", "seq")
    readings = []
    for data in stored:
        values = {name: getattr(data, name) for name in (*REGISTERS, "sinsts", "sinsti")}
        said = {name: value for name, value in values.items() if value is not None}
        readings.append(Reading((data.dateTime - EPOCH0) // timedelta(milliseconds=1), said))
    return reference.rollups(readings, zone)


def differences(meter: int) -> list[tuple[tuple[int, int], Any, Any]]:
    got, want = rows(meter), expected(meter)
    return [
        (key, got.get(key), want.get(key)) for key in sorted(got.keys() | want.keys()) if got.get(key) != want.get(key)
    ]


def steady(start: int, seconds: int, every: float = 10, watts: int = 1200, first: int = 1_000_000) -> list[Reading]:
    """A household that never changes its mind."""
    return [
        Reading(
            start + int(n * every * 1000),
            {"east": (wh := first + int(n * every * watts / 3600)), "easf01": wh, "sinsts": watts},
        )
        for n in range(int(seconds / every))
    ]


pytestmark = pytest.mark.django_db


def test_an_hour_of_readings_becomes_minutes_an_hour_and_a_day() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 3600))
    turn()
    assert differences(epoch.meter_id) == []
    hour = Rollup.objects.get(step=3600)
    assert (hour.start, hour.readings, hour.covered, hour.sinsts_sum, hour.east, hour.estimated) == (
        datetime(2026, 11, 21, 10, tzinfo=UTC), 360, 3590, 360 * 1200, 1196, False,
    )  # fmt: skip
    assert Rollup.objects.filter(step=60).count() == 60
    day = Rollup.objects.get(step=86_400)
    assert (day.start, day.east) == (datetime(2026, 11, 20, 23, tzinfo=UTC), 1196)


def test_energy_across_a_silence_is_exact_and_estimated_and_there_is_no_power() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 1800))
    add(epoch, steady(TEN + 5 * 3_600_000, 1800, first=1_020_000))
    turn()
    assert differences(epoch.meter_id) == []
    hours = list(Rollup.objects.filter(step=3600).order_by("start"))
    assert [(h.readings, h.estimated) for h in hours] == [
        (180, True), (0, True), (0, True), (0, True), (0, True), (180, False),
    ]  # fmt: skip
    assert sum(h.east or 0 for h in hours) == 1_020_000 + 596 - 1_000_000
    assert {h.sinsts_sum for h in hours[1:5]} == {None}
    day = Rollup.objects.get(step=86_400)
    assert (day.east, day.estimated) == (20_596, False)
    assert Rollup.objects.filter(step=60).count() == 60


def test_a_register_that_is_replaced_is_not_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 1800))
    add(epoch, steady(TEN + 1_800_000, 1800, first=5))
    turn()
    assert differences(epoch.meter_id) == []
    hour = Rollup.objects.get(step=3600)
    assert (hour.east, hour.has_reset, hour.estimated) == (596 + 596, True, False)
    [said] = [record.getMessage() for record in caplog.records if "began anew" in record.getMessage()]
    assert "between 2026-11-21T11:00:00+01:00 and 2026-11-21T12:00:00+01:00" in said
    add(epoch, steady(TEN + 3_600_000, 60, first=700))
    caplog.clear()
    turn()
    assert not caplog.records


def test_two_bridges_of_which_one_is_behind_count_once() -> None:
    epoch = new_meter()
    other = Epoch.objects.create(meter_id=epoch.meter_id, uuid=uuid.uuid4(), bridge="other", handled=0, floor=1)
    ahead = steady(TEN, 3600, every=5, watts=9000)
    behind = [Reading(r.ms + 28_000, r.values) for r in ahead[:-6]]
    add(epoch, ahead)
    add(other, behind)
    turn()
    assert differences(epoch.meter_id) == []
    hour = Rollup.objects.get(step=3600)
    assert (hour.east, hour.has_reset) == (ahead[-1].values["east"] - 1_000_000, False)


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)],
)
def test_civil_days_have_23_24_or_25_hours(day: str, hours: int) -> None:
    epoch = new_meter()
    midnight = datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=ZoneInfo("Europe/Paris"))
    start = int(midnight.timestamp()) * 1000
    add(epoch, steady(start - 3_600_000, (hours + 3) * 3600, every=60, watts=1000))
    turn()
    assert differences(epoch.meter_id) == []
    row = Rollup.objects.get(step=86_400, start=midnight)
    assert (row.east, row.covered, row.estimated) == (hours * 1000, hours * 3600, False)


def test_nothing_is_invented_before_the_first_reading_and_after_the_last() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 10))
    turn()
    [row, hour, day] = Rollup.objects.order_by("step")
    assert (row.east, hour.east, day.east, hour.readings) == (None, None, None, 1)


def test_a_silence_of_years_is_not_filled() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN - 500 * 86_400_000, 3600))
    add(epoch, steady(TEN, 3600, first=1_002_000))
    turn()
    assert Rollup.objects.filter(step=3600).count() == 2
    assert differences(epoch.meter_id) == []


def test_a_turn_that_finds_nothing_new_writes_nothing() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 3600))
    turn()
    before = list(Rollup.objects.order_by("pk").values())
    mark({epoch.meter_id: [EPOCH0 + timedelta(milliseconds=TEN)]})
    turn()
    assert list(Rollup.objects.order_by("pk").values()) == before


def test_registers_remember_their_first_and_last_reading() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 3600))
    turn()
    add(epoch, steady(TEN - 3_600_000, 1800, first=990_000))
    turn()
    east = Register.objects.get(name="east")
    assert ((east.since - EPOCH0) // timedelta(milliseconds=1), east.value) == (TEN - 3_600_000, 1_001_196)


def test_a_register_that_is_silent_for_a_week_is_counted_when_it_comes_back() -> None:
    """A producer's meter that was switched to mode historique for a while, which has no word for what is injected."""
    epoch = new_meter()

    def with_eait(readings: list[Reading], first: int) -> list[Reading]:
        return [Reading(r.ms, {**r.values, "eait": first + n}) for n, r in enumerate(readings)]

    days = 86_400_000
    add(epoch, with_eait(steady(TEN, 3600, every=60), 500))
    add(epoch, steady(TEN + 3_600_000, 7 * 86_400, every=7200, first=1_002_000))
    turn()
    add(epoch, with_eait(steady(TEN + 8 * days, 3600, every=60, first=2_000_000), 9_500))
    turn()
    assert differences(epoch.meter_id) == []
    assert sum(row.eait or 0 for row in Rollup.objects.filter(step=3600)) == 9_559 - 500
    assert sum(row.eait or 0 for row in Rollup.objects.filter(step=86_400)) == 9_559 - 500


# --- random histories ----------------------------------------------------------------------------

STARTS: Final = {
    "plain": "2026-06-01T09:13:07+02:00",
    "spring": "2026-03-28T20:00:00+01:00",
    "autumn": "2026-10-24T21:30:00+02:00",
}


def history(rng: random.Random, start: int) -> list[Reading]:
    """Some hours to days of a meter: silences, resets, groups refused, spikes, another mode, two bridges."""
    registers = {
        "east": rng.randrange(10**6),
        "easf01": rng.randrange(10**6),
        "easf02": 0,
        "eait": rng.randrange(10**4),
    }
    sent = set(registers)
    at, readings = start, []
    for _ in range(rng.randrange(2, 9)):
        every = rng.choice([1_500, 15_000, 60_000, 240_000, 900_000])
        for _ in range(rng.randrange(1, 60)):
            at += max(1, int(every * rng.uniform(0.8, 1.2)))
            if rng.random() < 0.03:
                at += rng.randrange(0, 10) * every
            used = rng.randrange(0, 1 + every * 3 // 3_600)
            registers["east"] += used
            registers[rng.choice(["easf01", "easf02"])] += used
            registers["eait"] += rng.choice([0, 0, used])
            values = {name: value for name, value in registers.items() if name in sent and rng.random() > 0.06}
            if rng.random() < 0.02:
                values["east"] = rng.randrange(10**9)
            if rng.random() < 0.9:
                values["sinsts"] = rng.randrange(9000)
            if "eait" in sent:
                values["sinsti"] = rng.randrange(3000)
            readings.append(Reading(at, values))
        event = rng.random()
        if event < 0.5:
            at += rng.randrange(0, 30 * 3_600_000)  # a silence, in which it goes on counting
            registers["east"] += rng.randrange(0, 5000)
            registers["easf01"] += rng.randrange(0, 5000)
        elif event < 0.65:
            registers = dict.fromkeys(registers, rng.randrange(0, 50))
        elif event < 0.8:
            sent = {"east"} if len(sent) > 1 else set(registers)
    return readings


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32), start=st.sampled_from(sorted(STARTS)))
def test_in_any_order_and_cut_anywhere_the_rows_are_those_of_one_pass(seed: int, start: str) -> None:
    rng = random.Random(seed)
    with transaction.atomic():
        epoch = new_meter()
        readings = history(rng, int(datetime.fromisoformat(STARTS[start]).timestamp() * 1000))
        batches = []
        while readings:
            number = rng.randrange(1, 80)
            batches.append(readings[:number])
            readings = readings[number:]
        late = [batches.pop(rng.randrange(len(batches))) for _ in range(min(len(batches) - 1, rng.randrange(4)))]
        for batch in [*batches, *late]:
            add(epoch, batch)
            if rng.random() < 0.4:
                turn()
        turn()
        assert differences(epoch.meter_id) == []
        transaction.set_rollback(True)


def test_a_rebuild_by_hand_comes_to_the_same() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 5400) + steady(TEN + 3 * 3_600_000, 5400, first=1_020_000))
    turn()
    before = rows(epoch.meter_id)
    Rollup.objects.all().delete()
    Register.objects.all().delete()
    call_command("roll_up")
    assert not Rollup.objects.exists()
    call_command("roll_up", "--all")
    assert rows(epoch.meter_id) == before
    assert not Dirty.objects.exists()
