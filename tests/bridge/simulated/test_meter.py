"""A meter that does not exist says what a real one would."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.simulated.contract import Contract
from bridge.simulated.meter import INDEXES, SimulatedMeter, label, running_index
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import BY_LABEL, Mode
from bridge.tic.decode import Decoder
from bridge.tic.models import Historique, Standard
from bridge.tic.values import PARIS
from tests.bridge.simulated import NOON, PLANS, SUMMER_NOON, frames, historique, local, name_of, readings, standard


@pytest.mark.parametrize("plan", PLANS, ids=name_of)
def test_nothing_that_it_says_is_refused(plan: Plan) -> None:
    # two days, a frame every half hour: midnights, colours, peaks and load curves included
    told = readings(plan, step=1800, number=96)
    assert {(type(reading), reading.meter_id, reading.complete) for reading in told} == {
        (Standard if plan.mode is Mode.STANDARD else Historique, plan.meter_id, True)
    }


@settings(max_examples=150)
@given(
    st.builds(
        Plan, st.sampled_from(Contract), st.sampled_from(Mode), st.sampled_from([1, 3]), st.booleans(),
        st.integers(0, 10**9), st.booleans(), st.booleans(),
    ),
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  aware
    st.floats(0.5, 40_000),
)  # fmt: skip
def test_whatever_the_plan_and_the_time_nothing_is_refused(plan: Plan, start: datetime, step: float) -> None:
    assert len(readings(plan, start, step, number=6)) == 6


@pytest.mark.parametrize("plan", PLANS, ids=name_of)
def test_groups_stand_in_the_order_of_the_note(plan: Plan) -> None:
    order = list(BY_LABEL[plan.mode])
    [frame] = frames(plan, number=1)
    separator = b"\t" if plan.mode is Mode.STANDARD else b" "
    labels = [group.partition(separator)[0].decode() for group in frame[2:-2].split(b"\r\n")]
    assert labels == sorted(set(labels), key=order.index)


def test_a_frame_takes_as_long_as_its_line_is_slow() -> None:
    times = []
    for mode in (Mode.STANDARD, Mode.HISTORIQUE):
        meter = SimulatedMeter(Plan(mode=mode), NOON)
        times.append(meter.seconds(b"x" * 960))
    assert times == [pytest.approx(1.02), pytest.approx(8.02)]


def test_the_same_seed_says_the_same() -> None:
    assert frames(Plan(seed=7)) == frames(Plan(seed=7))
    assert frames(Plan(seed=7)) != frames(Plan(seed=8))


@pytest.mark.parametrize("contract", Contract)
def test_energy_is_power_over_time_and_goes_to_the_index_in_force(contract: Contract) -> None:
    plan = Plan(contract)
    meter = SimulatedMeter(plan, SUMMER_NOON)
    decoder, drawn, energy, injected = Decoder(), meter.drawn, 0.0, 0
    for n in range(1, 24 * 60):
        at = SUMMER_NOON + timedelta(minutes=n)
        decoded = decoder.decode(meter.frame(at))
        reading = decoded.reading
        assert isinstance(reading, Standard)
        risen = [after - before for before, after in zip(drawn, meter.drawn, strict=True)]
        index = running_index(contract, at.astimezone(PARIS), plan.seed)
        assert reading.ntarf == index
        assert [number for number, wh in enumerate(risen, start=1) if wh] in ([], [index])
        assert reading.east == sum(meter.drawn)
        assert [reading.get(f"easf{number:02}") for number in range(1, 11)] == list(meter.drawn)
        energy += (reading.sinsts or 0) * 0.95 / 60
        drawn, injected = meter.drawn, reading.eait or 0
    assert sum(meter.drawn) - sum(SimulatedMeter(plan, SUMMER_NOON).drawn) == pytest.approx(energy, rel=0.01)
    assert (injected > 671_631) is plan.injects


def test_historique_and_standard_tell_the_same() -> None:
    for hour in range(0, 48, 3):
        at = NOON + timedelta(hours=hour)
        [_, old] = historique(Plan(Contract.TEMPO, Mode.HISTORIQUE), at, step=3600, number=2)
        [_, new] = standard(Plan(Contract.TEMPO, Mode.STANDARD), at, step=3600, number=2)
        assert [old.get(slug) for slug in INDEXES[Contract.TEMPO]] == [new.get(f"easf{n:02}") for n in range(1, 7)]
        assert (old.papp, old.iinst) == (new.sinsts, new.irms1)
        assert old.ptec is not None
        assert new.stge is not None
        assert {"B": "bleu", "W": "blanc", "R": "rouge"}[old.ptec[-1]] == new.stge.tempo_today
        assert old.demain == new.stge.tempo_tomorrow


@pytest.mark.parametrize(
    ("plan", "index", "name"),
    [(Plan(Contract.TEMPO), 6, "HP ROUGE"), (Plan(Contract.TEMPO, Mode.HISTORIQUE), 6, "HPJR")],
)
def test_an_index_has_the_name_that_the_mode_gives_it(plan: Plan, index: int, name: str) -> None:
    assert label(plan, index) == name


def test_a_meters_clock_may_begin_at_another_time() -> None:
    plan = Plan(start=local("2026-01-15T12:00"))
    assert frames(plan, datetime(2030, 5, 5, tzinfo=UTC)) == frames(Plan(), NOON)


def test_a_share_of_the_frames_arrives_damaged() -> None:
    sound, bad = frames(Plan(), number=400), frames(Plan(corrupt=0.1), number=400)
    assert 20 < sum(one != other for one, other in zip(sound, bad, strict=True)) < 60
    assert frames(Plan(corrupt=0.1), number=400) == bad
    assert all(one != other for one, other in zip(sound, frames(Plan(corrupt=1.0), number=400), strict=True))
