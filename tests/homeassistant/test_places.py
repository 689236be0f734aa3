"""How many entities a household gets: from what a simulated meter of each contract really sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bridge.config import MeterSettings, PublishSettings
from bridge.guard import Moment
from bridge.line import Line
from bridge.meter import Announcement, Meter
from bridge.simulated.contract import Contract
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import Mode
from bridge.topics import Message
from homeassistant.discovery import MeterFacts, Setting, meter_message
from homeassistant.mapping import PLACES
from tests.bridge.heard import BRIDGE

START = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
# Two minutes of frames, then one each ten minutes for a day and a half: every switch, colour and profile is said.
TIMES = [*(2.0 * n for n in range(60)), *(120.0 + 600 * n for n in range(220))]


def enabled(plan: Plan) -> set[str]:
    """What was on at the moment at which Home Assistant first saw it."""
    on: dict[str, bool] = {}

    def announce(said: Announcement) -> Iterator[Message]:
        facts = MeterFacts(
            said.meter, said.name, said.reading.mode, tuple(said.slugs), said.phases, said.reading.meter_id
        )
        body = json.loads(meter_message(Setting(BRIDGE.topics, BRIDGE.id, "1"), facts).payload)
        for key, component in body["components"].items():
            on.setdefault(key, component["enabled_by_default"])
        return iter(())

    meter = Meter(BRIDGE, MeterSettings(source="-"), PublishSettings(), 0.0, lambda _: True, announce)
    simulated, line = SimulatedMeter(plan, START), Line(None)
    for seconds in TIMES:
        at = START + timedelta(seconds=seconds)
        for frame in line.feed(simulated.frame(at), Moment(at, seconds)):
            meter.take(frame)
    return {key for key, is_on in on.items() if is_on}


@pytest.mark.parametrize("producer", [False, True], ids=["", "panels"])
@pytest.mark.parametrize("phases", [1, 3])
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("contract", Contract)
def test_a_household_gets_few_entities(contract: Contract, mode: Mode, phases: int, producer: bool) -> None:
    on = enabled(Plan(contract, mode, phases, producer, overload=True))
    assert len(on) <= PLACES, sorted(on)
    assert {"sinsts", "over_power", "ptec" if mode is Mode.HISTORIQUE else "ltarf"} <= on
    assert {"hchp": 2, "ejp": 2, "tempo": 6}.get(contract, 0) <= sum(key.startswith("easf") for key in on)
    assert "east" in on
    assert {"tempo_today", "tempo_tomorrow"} <= on or contract is not Contract.TEMPO


ALWAYS = "sinsts east ltarf over_power breaker_margin connected"
ALSO = {
    "base": "event easf01 active_power_mean overvoltage irms1 urms1 smaxsn",
    "hchp": "event easf01 easf02 next_tariff_change overvoltage active_power_mean irms1 urms1",
    "tempo": "easf01 easf02 easf03 easf04 easf05 easf06 next_tariff_change tempo_today tempo_tomorrow",
}


def test_on_tempo_the_places_are_taken_and_panels_get_none_for_their_maximum() -> None:
    on, historique = enabled(Plan(Contract.TEMPO)), enabled(Plan(Contract.TEMPO, Mode.HISTORIQUE))
    assert (len(on), on & {"event", "active_power_mean", "overvoltage"}) == (PLACES, set())
    assert historique & {"event", "active_power_mean"} == {"active_power_mean"}
    assert enabled(Plan(Contract.PRODUCER)) & {"sinsti", "eait", "smaxin"} == {"sinsti", "eait"}


@pytest.mark.parametrize("contract", ALSO)
def test_what_a_household_gets(contract: str) -> None:
    assert enabled(Plan(Contract(contract))) == {*ALWAYS.split(), *ALSO[contract].split()}
