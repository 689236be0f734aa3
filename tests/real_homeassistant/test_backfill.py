"""Home Assistant was away for five hours: it gets them back, to the Wh, and the peak of its return goes away."""

from __future__ import annotations

import os
import re
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from bridge.simulated.contract import Contract
from bridge.simulated.household import Household
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan
from storage.window import REGISTERS
from tests.broker.conftest import Broker, Ear, Program
from tests.real_homeassistant import meters
from tests.real_homeassistant.home import HomeAssistant, wait_until

pytestmark = [pytest.mark.real_homeassistant, pytest.mark.slow]

OWN_HOUSE: Final = True
HOUR: Final = timedelta(hours=1)
AWAY: Final = 5  # hours that it misses from end to end
_EVERY: Final = timedelta(seconds=5)  # between two frames
# Before an hour's end, when Home Assistant starts; a machine with other work may take it minutes: HA_START=400.
_BEFORE: Final = timedelta(seconds=int(os.environ.get("HA_START", "150")))
# What it says of itself: on a machine that has other work, and where it was away for more than ten minutes.
_OF_ITSELF: Final = (
    "No ACK from MQTT server in 10 seconds",
    "[homeassistant.helpers.entity] Updating state for ",
    "could not validate that the sqlite3 database at //config/home-assistant_v2.db was shutdown cleanly",
)
RENAMED: Final = "sensor.what_the_owner_calls_it"


class Still(Household):
    """Around each full hour nothing is used: whoever looks then sees the same, a second sooner or later."""

    def watts(self, at: datetime) -> tuple[float, float, float]:
        if at.minute in (57, 58, 59, 0, 1):
            return 0.0, 0.0, 0.0
        return Household.watts(self, at)


class StillPlan(Plan):
    """Its contract."""

    @property
    def household(self) -> Household:
        return Still(self.seed, night_heating=True, solar_kw=3.0 if self.injects else 0.0)


PLANS: Final = (StillPlan(Contract.HCHP, seed=601), StillPlan(Contract.PRODUCER, seed=602))


class Played(meters.Line):
    """A line on which a recording goes on in real time, as if it were so much earlier."""

    def __init__(self, frames: Sequence[tuple[datetime, bytes]], late: timedelta) -> None:
        self._frames = frames
        self.late = late
        super().__init__(Plan())

    def _next(self) -> tuple[bytes, float]:
        now = datetime.now(UTC) - self.late
        return self._frames[bisect_right(self._frames, now, key=lambda frame: frame[0]) - 1][1], 1.0


@dataclass(frozen=True, slots=True)
class Stop:
    """A Home Assistant that was away, and what the database knows of that time."""

    home: HomeAssistant
    config: Path
    folder: Path
    left: datetime  # the end of the last hour that it heard
    back: datetime  # the end of the first hour after its return
    log: list[str]

    def manage(self, *arguments: str) -> list[str]:
        """`ticbridge manage`: its lines."""
        return Program(self.folder, self.config, "manage", *arguments).output().splitlines()

    def hours(self, entity_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        since, until = self.left - HOUR, self.back + HOUR
        return self.home.hours(entity_ids, since.isoformat(), until.isoformat())

    def counted(self) -> dict[str, list[int]]:
        """Unique id -> Wh of each of its hours in the database, from the missed ones to the one of the return."""
        span = int(self.left.timestamp()), int(self.back.timestamp())
        asked = (
            f"SELECT meter_id, {', '.join(REGISTERS)} FROM storage_rollup "
            "WHERE step = 3600 AND start >= ? AND start < ? ORDER BY start"
        )
        with closing(sqlite3.connect(self.folder / "db.sqlite3")) as database:
            names = dict(database.execute("SELECT id, meter_id FROM storage_meter").fetchall())
            rows = database.execute(asked, span).fetchall()
        found: dict[str, list[int]] = {}
        for meter, *energies in rows:
            for register, wh in zip(REGISTERS, energies, strict=True):
                if wh is not None:
                    found.setdefault(f"linky_{names[meter]}_{register}", []).append(wh)
        return found

    def indexes(self) -> dict[str, str]:
        """Unique id -> entity id of each index that Home Assistant keeps."""
        known = {row["unique_id"]: row["entity_id"] for row in self.home.call("config/entity_registry/list")}
        kept = {row["statistic_id"] for row in self.home.call("recorder/list_statistic_ids", statistic_type="sum")}
        return {key: known[key] for key in self.counted() if known.get(key) in kept}


@pytest.fixture(scope="module")
def stop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stop]:
    """It ran until a full hour, and again from shortly before another, five hours and one later."""
    folder = tmp_path_factory.mktemp("backfill")
    back = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - 2 * HOUR
    left = back - (AWAY + 1) * HOUR
    config = stored(folder, frames := {plan: recorded(plan, left - 1.2 * HOUR, back + HOUR / 10) for plan in PLANS})
    with ExitStack() as ends:
        broker = Broker(folder)
        broker.start()
        ends.callback(broker.stop)
        ear, home = Ear(broker.port), HomeAssistant(folder, broker.port)
        ends.callback(ear.close)
        ends.callback(home.stop)
        lines = [Played(frames[plan], late(left)) for plan in PLANS]
        for line in lines:
            ends.callback(line.close)
        sources = [{"source": line.source, "mode": "standard"} for line in lines]
        ends.callback(meters.bridge(folder, broker.port, "pi", sources).stop)
        for plan in PLANS:
            ear.wait_for(f"homeassistant/device/linky_{plan.meter_id}/config")
        home.start(late(left))
        east = f"linky_{PLANS[0].meter_id}_east"
        wait_until(lambda: east in unique_ids(home), 180, "the meter is announced")
        home.call("config/entity_registry/update", entity_id=unique_ids(home)[east], new_entity_id=RENAMED)
        wait_for_hour(home, left)
        home.stop()
        for line in lines:
            line.late = late(back)
        home.start(late(back))
        wait_for_hour(home, back)
        yield Stop(home, config, folder, left, back, home.complaints(_OF_ITSELF))


def late(end: datetime) -> timedelta:
    """By how much a clock must be late that is to show the end of an hour soon."""
    return datetime.now(UTC) - (end - _BEFORE)


def recorded(plan: Plan, start: datetime, end: datetime) -> list[tuple[datetime, bytes]]:
    """What a meter says."""
    meter, at, frames = SimulatedMeter(plan, start), start, []
    while at < end:
        frames.append((at, meter.frame(at)))
        at += _EVERY
    return frames


def stored(folder: Path, frames: dict[StillPlan, list[tuple[datetime, bytes]]]) -> Path:
    """Put recordings into a database, and roll them up; the configuration."""
    path = folder / "store.yaml"
    config: dict[str, Any] = {"storage": {"database": f"sqlite:///{folder}/db.sqlite3"}}
    path.write_text(yaml.safe_dump(config | {"bridge": {"state_dir": str(folder / "store")}}))
    for plan, said in frames.items():
        recording = folder / f"{plan.meter_id}.tic"
        recording.write_bytes(b"".join(frame for _, frame in said))
        Program(folder, path, "manage", "capture_tic", "--port", str(recording), "--mode", "standard").output()
    Program(folder, path, "manage", "roll_up").output()
    return path


def unique_ids(home: HomeAssistant) -> dict[str, str]:
    return {row["unique_id"]: row["entity_id"] for row in home.call("config/entity_registry/list")}


def stands(rows: list[dict[str, Any]]) -> set[tuple[int, float, float]]:
    """Where an index stood at the end of each hour."""
    return {(row["start"], row["state"], row["sum"]) for row in rows}


def wait_for_hour(home: HomeAssistant, end: datetime) -> None:
    """Until the row of the hour that ends then is made."""

    def is_made() -> bool:
        rows = home.hours([RENAMED], (end - HOUR).isoformat(), end.isoformat())
        return bool(rows.get(RENAMED))

    wait_until(is_made, _BEFORE.total_seconds() + 120, f"the hour until {end} is made")


# --- what is promised --------------------------------------------------------------------------------


def test_the_missed_hours_come_back_to_the_wh(stop: Stop, capsys: pytest.CaptureFixture[str]) -> None:
    indexes, counted = stop.indexes(), stop.counted()
    assert {RENAMED} < set(indexes.values())
    assert {key.rpartition("_")[2] for key in indexes} >= {"east", "easf01", "eait"}
    before = stop.hours(list(indexes.values()))
    changes = {key: [row["change"] for row in before[entity]] for key, entity in indexes.items()}
    # Proof that there is something to mend: all that was missed stands in the hour of the return.
    assert {key: hours[-1] for key, hours in changes.items()} == {key: sum(counted[key]) for key in indexes}
    assert sum(counted[f"linky_{PLANS[0].meter_id}_east"]) > 1000

    stop.config.write_text(yaml.safe_dump(configured(stop)))
    dry = stop.manage("ha_backfill")
    assert stop.hours(list(indexes.values())) == before, "a dry run writes nothing"

    written = stop.manage("ha_backfill", "--write")
    after = stop.hours(list(indexes.values()))
    # At its return it wrote itself what it missed, as if nothing had been counted: at times, such as at night for
    # panels, that is right.
    wrong = sum(len(stands(after[entity]) - stands(before[entity])) for entity in indexes.values())
    assert wrong >= AWAY
    assert written[-1] == f"{wrong} hours written"
    assert dry == [*written[:-1], f"{wrong} hours would be written: --write writes them"]
    assert {key: [row["change"] for row in after[entity]][1:] for key, entity in indexes.items()} == {
        key: [float(wh) for wh in counted[key]] for key in indexes
    }
    for entity in indexes.values():
        assert [row["start"] for row in after[entity]] == [
            1000 * int((stop.left + n * HOUR).timestamp()) for n in range(-1, AWAY + 1)
        ]
    with capsys.disabled():
        key = f"linky_{PLANS[0].meter_id}_east"
        print(f"\nHome Assistant {stop.home.call('get_config')['version']}")  # noqa: T201  the result
        hours = [row["change"] for row in after[RENAMED]]
        print(f"hours before {changes[key]}, after {hours}, database {counted[key]}")  # noqa: T201  as above
        print("\n".join(written))  # noqa: T201  as above

    assert stop.manage("ha_backfill", "--write")[-1] == "Nothing was to write"
    assert stop.hours(list(indexes.values())) == after


def test_home_assistant_finds_nothing_wrong_with_it(stop: Stop) -> None:
    assert stop.home.call("recorder/validate_statistics") == {}
    assert stop.home.complaints(_OF_ITSELF) == stop.log == []


def test_sums_that_were_moved_by_hand_continue_again(stop: Stop) -> None:
    """The usual advice for a peak is to take it out by hand; then the hours alone would leave a hollow."""
    stop.config.write_text(yaml.safe_dump(configured(stop)))
    stop.manage("ha_backfill", "--write")
    right = stop.hours([RENAMED])
    stop.home.call(
        "recorder/clear_statistics", statistic_ids=[RENAMED], start_time=stop.left.isoformat(),
        end_time=(stop.back - HOUR).isoformat(),
    )  # fmt: skip
    stop.home.call(
        "recorder/adjust_sum_statistics", statistic_id=RENAMED, start_time=(stop.back - HOUR).isoformat(),
        adjustment=-777.0, adjustment_unit_of_measurement="Wh",
    )  # fmt: skip
    wait_until(lambda: len(stop.hours([RENAMED])[RENAMED]) == 2, 30, "the hours are gone")
    said = stop.manage("ha_backfill", "--write")
    assert [line for line in said if re.search(r"sums after them move by \+0\.777 kWh$", line)] != [], said
    assert stop.hours([RENAMED]) == right


def test_who_may_not_write_is_told_so(stop: Stop) -> None:
    user = stop.home.call("config/auth/create", name="Guest", group_ids=["system-users"])["user"]
    stop.home.call("config/auth_provider/homeassistant/create", user_id=user["id"], username="guest", password="guest")
    stop.config.write_text(yaml.safe_dump(configured(stop, stop.home.token_of("guest", "guest"))))
    read = stop.manage("ha_backfill")
    assert read[1] == "Its token is not an administrator's: it may read and not write"
    program = Program(stop.folder, stop.config, "manage", "ha_backfill", "--write")
    assert program.wait() == 1
    assert program.said[-1].endswith("Its token is not an administrator's: it may read and not write")


def configured(stop: Stop, token: str = "") -> dict[str, Any]:
    config: dict[str, Any] = yaml.safe_load(stop.config.read_text())
    secret = stop.folder / "token"
    secret.touch(mode=0o600)
    secret.write_text(token or stop.home.token)
    return config | {"homeassistant": {"url": stop.home.url, "token_file": str(secret)}}
