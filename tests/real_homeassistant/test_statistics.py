"""What Home Assistant adds up is what the meter counted, to the Wh, whatever happened on the way."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest

from bridge.simulated.contract import Contract
from bridge.simulated.plan import Plan, read_clock
from bridge.tic.catalogue import BY_SLUG, Mode
from tests.real_homeassistant.conftest import House, pause
from tests.real_homeassistant.home import wait_until
from tests.real_homeassistant.meters import Line, is_counter

pytestmark = [pytest.mark.real_homeassistant, pytest.mark.slow]

SPEED: Final = 20.0
# Evening, so that the peak hours' index stops and the off-peak one begins while we look.
OLD: Final = Plan(Contract.HCHP, seed=201, start=read_clock("2026-01-15T21:30"))
NEW: Final = Plan(Contract.HCHP, seed=202, start=read_clock("2026-01-15T22:30"))


@dataclass(frozen=True, slots=True)
class Life:
    """What a line went through, and what its meters had counted in the end, by supplier index."""

    house: House
    counted: dict[str, tuple[int, ...]]  # by meter


@pytest.fixture(scope="module")
def life(settled: House) -> Iterator[Life]:
    """Damage, a stop, a crash, a mode switch and back, another meter."""
    house = settled
    line = Line(OLD, SPEED)
    configured = [{"source": line.source}]
    counted: dict[str, tuple[int, ...]] = {}
    program = house.bridge("line", configured)
    wait_until(lambda: house.announced(OLD.meter_id), 30, "the meter is announced")
    pause(15)
    line.change(corrupt=0.4)
    pause(30)
    line.change(corrupt=0.1)
    for number in (signal.SIGTERM, signal.SIGKILL):
        program.stop(number)
        pause(3)
        program = house.bridge("line", configured)
        program.wait_for("Connected to the broker")
        pause(12)
    line.change(mode=Mode.HISTORIQUE)
    wait_until(lambda: f"linky/{OLD.meter_id}/hchp" in house.ear.last(), 40, "the other mode is read")
    pause(15)
    line.change(mode=Mode.STANDARD)
    pause(20)
    for plan in (OLD, NEW):
        if plan is NEW:
            line.exchange(NEW)
            wait_until(lambda: house.announced(NEW.meter_id), 30, "the other meter is announced")
            line.change(corrupt=0.4)
            pause(20)
        line.halt()
        pause(1)  # until the frame that counts the last of it
        counted[plan.meter_id] = end = line.meter.drawn
        wait_until(
            lambda: said_last(house, plan) == end, 30, f"{end} is published", instead=lambda: said_last(house, plan)  # noqa: B023
        )  # fmt: skip
        pause(6)  # the recorder writes each five seconds
    yield Life(house, counted)
    program.stop()
    line.close()


def said_last(house: House, plan: Plan) -> tuple[int, ...]:
    """The ten indexes as last published."""
    last = house.ear.last()
    return tuple(int(last[f"linky/{plan.meter_id}/easf{n:02}"]) for n in range(1, 11))


def said(house: House, meter: str) -> dict[str, list[int]]:
    """Everything that was published of each index, in order, whichever the mode, by its canonical name."""
    all_of: dict[str, list[int]] = {}
    prefix = f"linky/{meter}/"
    for topic, text in list(house.ear.heard):
        row = BY_SLUG.get(topic.removeprefix(prefix)) if topic.startswith(prefix) else None
        if row is not None and is_counter(row) and text.isdigit():
            all_of.setdefault(row.canonical, []).append(int(text))
    return all_of


def rows(life: Life, meter: str) -> dict[str, list[dict[str, Any]]]:
    """Statistics of a meter's indexes, by key, once they hold all that was published."""
    entities = life.house.home.entities(meter)
    announced = life.house.announced(meter)
    keys = {
        entities[key]["entity_id"]: key
        for key, component in announced.items()
        if component.get("state_class") == "total_increasing" and entities[key]["disabled_by"] is None
    }
    published = said(life.house, meter)
    found: dict[str, list[dict[str, Any]]] = {}

    def are_complete() -> bool:
        answer = life.house.home.statistics(list(keys), life.house.began)
        found.update({keys[statistic]: entries for statistic, entries in answer.items()})
        return len(found) == len(keys) and all(e[-1]["state"] == published[key][-1] for key, e in found.items())

    def lacking() -> dict[str, object]:
        ends = {key: entries[-1]["state"] for key, entries in found.items()}
        return {key: (ends.get(key), published.get(key, [None])[-1]) for key in keys.values()}

    wait_until(are_complete, 330, f"statistics of {meter} are complete", step=3, instead=lacking)
    return found


@pytest.mark.parametrize("plan", [pytest.param(OLD, id="old meter"), pytest.param(NEW, id="new meter")])
def test_the_sum_is_last_minus_first(life: Life, plan: Plan) -> None:
    published = said(life.house, plan.meter_id)
    found = rows(life, plan.meter_id)
    assert {"east", "easf01", "easf02"} <= set(found)
    sums = {key: entries[-1]["sum"] for key, entries in found.items()}
    entities = life.house.home.entities(plan.meter_id)
    firsts = {key: life.house.home.first_number(entities[key]["entity_id"]) for key in found}
    # Home Assistant listens a moment after it was told of the meter; only then can it count.
    assert [key for key, first in firsts.items() if first not in published[key][:3]] == []
    assert sums == {key: published[key][-1] - firsts[key] for key in found}
    counted = life.counted[plan.meter_id]
    ends = {key: entries[-1]["state"] for key, entries in found.items() if key in ("easf01", "easf02")}
    assert ends == {"easf01": counted[0], "easf02": counted[1]}
    assert sums["east"] > 0


@pytest.mark.parametrize("plan", [pytest.param(OLD, id="old meter"), pytest.param(NEW, id="new meter")])
def test_there_is_no_spike(life: Life, plan: Plan) -> None:
    """Five minutes at twenty times the pace, at the power that a breaker lets through."""
    most = plan.kva * 1000 * 1.3 * SPEED * 5 / 60
    changes = [entry["change"] for entries in rows(life, plan.meter_id).values() for entry in entries]
    assert [change for change in changes if change is not None and not 0 <= change <= most] == []


def test_indexes_never_fell_on_the_way(life: Life) -> None:
    for meter in life.counted:
        for key, values in said(life.house, meter).items():
            assert values == sorted(values), key


def test_home_assistant_finds_nothing_wrong_with_the_statistics(life: Life) -> None:
    for meter in life.counted:
        rows(life, meter)
    assert life.house.home.call("recorder/validate_statistics") == {}
