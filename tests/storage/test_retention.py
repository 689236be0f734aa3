"""What goes, what stays, and that nothing goes that is still needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import KeepSettings
from storage.dirty import mark
from storage.models import Data, Meter, Register, Rollup
from storage.retention import purge
from tests.storage.test_rollups import EPOCH0, TEN, add, differences, new_meter, rows, steady, turn

pytestmark = pytest.mark.django_db

HOUR = 3_600_000
WEEK = KeepSettings(raw="7d", minute="4w")


def later(days: float) -> datetime:
    return EPOCH0 + timedelta(milliseconds=TEN) + timedelta(days=days)


def purged(keep: KeepSettings, now: datetime) -> int:
    return sum(purge(keep, now))


def kept() -> list[int]:
    """Seconds after ten."""
    return [
        int((at - later(0)).total_seconds())
        for at in Data.objects.order_by("dateTime").values_list("dateTime", flat=True)
    ]


def test_of_an_old_hour_the_first_and_the_last_reading_stay() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 7200))
    turn()
    before = rows(epoch.meter_id)
    assert purged(WEEK, later(7)) == 0
    assert purged(WEEK, later(7) + timedelta(hours=1)) == 358
    assert kept()[:4] == [0, 3590, 3600, 3610]
    assert Meter.objects.get().raw_since == later(0) + timedelta(hours=1)
    assert purged(WEEK, later(8)) == 358
    assert kept() == [0, 3590, 3600, 7190]
    assert rows(epoch.meter_id) == before


def test_what_is_not_rolled_up_stays_and_so_does_what_is_younger() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 3 * 3600))
    turn()
    mark({epoch.meter_id: [later(0) + timedelta(minutes=90)]})
    assert purged(WEEK, later(10)) == 358
    assert Meter.objects.get().raw_since == later(0) + timedelta(hours=1)
    turn()
    assert purged(WEEK, later(10)) == 2 * 358


def test_the_edges_of_silences_and_of_new_beginnings_stay_and_each_registers_own() -> None:
    epoch = new_meter()
    readings = steady(TEN, 600) + steady(TEN + 1_200_000, 600, first=1_000_400) + steady(TEN + 1_800_000, 600, first=7)
    for reading in readings[40:50]:
        reading.values["eait"] = 5
    add(epoch, readings)
    turn()
    before = rows(epoch.meter_id)
    purged(WEEK, later(8))
    assert kept() == [0, 400, 490, 590, 1200, 1790, 1800, 2390]
    assert rows(epoch.meter_id) == before


def test_a_rebuild_from_what_is_kept_leaves_the_roll_ups_as_they_were() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 5 * 3600) + steady(TEN + 8 * HOUR + 1_234_000, 3600, first=1_020_000))
    turn()
    before = rows(epoch.meter_id)
    purged(WEEK, later(10))
    mark({epoch.meter_id: list(Data.objects.values_list("dateTime", flat=True))})
    turn()
    assert rows(epoch.meter_id) == before


def test_readings_that_come_too_late_to_be_kept_still_count() -> None:
    """A spool that comes back after two weeks: the hours that it fills had been estimated, and were thinned."""
    epoch = new_meter()
    everything = steady(TEN, 12 * 3600, every=60)
    early, missing, late = everything[:150], everything[150:450], everything[450:]
    add(epoch, early)
    add(epoch, late)
    turn()
    estimated = Rollup.objects.filter(step=3600, estimated=True).count()
    purged(WEEK, later(20))
    add(epoch, missing)
    turn()
    assert (estimated, Rollup.objects.filter(step=3600, estimated=True).count()) == (6, 0)
    thinned = rows(epoch.meter_id)
    assert len(kept()) < 12 * 3
    Rollup.objects.all().delete()
    Register.objects.all().delete()
    whole = new_meter()
    add(whole, everything)
    turn()
    wanted = rows(whole.meter_id)
    days, hours = ({k: v for k, v in wanted.items() if k[0] == step} for step in (86_400, 3600))
    assert {k: v for k, v in thinned.items() if k[0] == 86_400} == days
    assert [(v["east"], v["readings"], v["sinsts_max"]) for k, v in sorted(thinned.items()) if k[0] == 3600] == [
        (v["east"], v["readings"], v["sinsts_max"]) for _, v in sorted(hours.items())
    ]


def test_minutes_go_when_they_are_old_and_hours_stay() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 3 * 86_400, every=60))
    turn()
    days = Rollup.objects.filter(step=86_400).count()
    purged(WEEK, later(29.5))
    oldest = Rollup.objects.filter(step=60).order_by("start").first()
    assert oldest is not None
    assert oldest.start == later(1.5)
    assert (Rollup.objects.filter(step=3600).count(), Rollup.objects.filter(step=86_400).count()) == (72, days)
    purged(WEEK, later(300))
    assert not Rollup.objects.filter(step=60).exists()
    mark({epoch.meter_id: list(Data.objects.values_list("dateTime", flat=True))})
    before = {key: row for key, row in rows(epoch.meter_id).items() if key[0] != 60}
    turn()
    assert {key: row for key, row in rows(epoch.meter_id).items() if key[0] != 60} == before


def test_for_ever_is_for_ever() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN, 3600))
    turn()
    assert purged(KeepSettings(raw="forever", minute="forever"), later(100_000)) == 0
    assert differences(epoch.meter_id) == []


def test_a_hole_of_years_is_stepped_over() -> None:
    epoch = new_meter()
    add(epoch, steady(TEN - 4000 * 86_400_000, 3600))
    add(epoch, steady(TEN, 3600))
    turn()
    assert [gone for gone in purge(WEEK, later(8)) if gone] == [358, 358, 60]


@pytest.mark.sqlite  # PostgreSQL gives room back by itself
def test_the_file_shrinks(tmp_path: Path, template: Path) -> None:
    """A file of its own: the database of tests is in memory."""
    script = """
import django; django.setup()
from datetime import UTC, datetime, timedelta
from bridge.config import KeepSettings
from storage.budget import measure
from storage.models import Data
from storage.retention import purge
from tests.storage.test_rollups import add, new_meter, steady, turn, TEN
empty = measure(1).used
epoch = new_meter()
add(epoch, steady(TEN, 24 * 3600, every=2))
turn()
before = measure(1).used - empty
purged = sum(purge(KeepSettings(raw="1d"), datetime.fromtimestamp(TEN / 1000, UTC) + timedelta(days=9)))
from django.db import connection
connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
print(before, measure(1).used - empty, purged, Data.objects.count())
"""
    shutil.copy(template, tmp_path / "db.sqlite3")
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "storage.settings", "PYTHONPATH": ".",
        "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{tmp_path}/db.sqlite3",
    }  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    before, after, gone, left = map(int, done.stdout.split())
    assert (gone, left) == (43_200 - 48, 48)
    assert after < before / 3
