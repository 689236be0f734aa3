"""A meter that does not exist says what a real one would."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import product

import pytest

from bridge.household import Household
from bridge.simulator import (
    INDEXES,
    Contract,
    Plan,
    SimulatedMeter,
    colour,
    corrupt,
    label,
    mobile_peak,
    read_plan,
    running_index,
)
from bridge.tic.catalogue import BY_LABEL, Mode
from bridge.tic.decode import Decoder
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import PARIS

NOON = datetime(2026, 1, 15, 11, 0, 0, tzinfo=UTC)
SUMMER_NOON = datetime(2026, 6, 21, 11, 0, 0, tzinfo=UTC)
PLANS = [
    Plan(contract, mode, phases, producer)
    for contract, mode, phases, producer in product(Contract, Mode, (1, 3), (False, True))
]


def frames(plan: Plan, start: datetime = NOON, step: float = 60.0, number: int = 3) -> list[bytes]:
    meter = SimulatedMeter(plan, start)
    return [meter.frame(start + timedelta(seconds=n * step)) for n in range(number)]


def readings(plan: Plan, start: datetime = NOON, step: float = 60.0, number: int = 3) -> list[Reading]:
    decoder = Decoder(plan.mode)
    told = []
    for frame in frames(plan, start, step, number):
        decoded = decoder.decode(frame)
        assert decoded.refused == ()
        assert decoded.reading is not None
        told.append(decoded.reading)
    return told


def _name(plan: Plan) -> str:
    return f"{plan.contract}-{plan.mode}-{plan.phases}{'-producer' if plan.producer else ''}"


# --- every plan ----------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", PLANS, ids=_name)
def test_nothing_that_it_says_is_refused(plan: Plan) -> None:
    # two days, a frame every half hour: midnights, colours, peaks and load curves included
    told = readings(plan, step=1800, number=96)
    assert {(type(reading), reading.meter_id, reading.complete) for reading in told} == {
        (Standard if plan.mode is Mode.STANDARD else Historique, plan.meter_id, True)
    }


@pytest.mark.parametrize("plan", PLANS, ids=_name)
def test_groups_stand_in_the_order_of_the_note(plan: Plan) -> None:
    order = list(BY_LABEL[plan.mode])
    [frame] = frames(plan, number=1)
    separator = b"\t" if plan.mode is Mode.STANDARD else b" "
    labels = [group.partition(separator)[0].decode() for group in frame[2:-2].split(b"\r\n")]
    assert labels == sorted(set(labels), key=order.index)


# --- sizes (section 9 of the note) ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "groups", "size"),
    [
        (Plan(Contract.BASE, Mode.HISTORIQUE), 10, 152),
        (Plan(Contract.HCHP, Mode.HISTORIQUE), 11, 170),
        (Plan(Contract.TEMPO, Mode.HISTORIQUE), 16, 275),
        (Plan(Contract.BASE, Mode.HISTORIQUE, 3), 16, 235),
        (Plan(Contract.HCHP, Mode.HISTORIQUE, 3), 17, 251),
        (Plan(Contract.TEMPO, Mode.HISTORIQUE, 3), 22, 356),
        (Plan(Contract.BASE, Mode.STANDARD), 38, 865),
        (Plan(Contract.PRODUCER, Mode.STANDARD), 48, 1070),
        (Plan(Contract.BASE, Mode.STANDARD, 3), 53, 1200),
        (Plan(Contract.PRODUCER, Mode.STANDARD, 3), 63, 1440),
    ],
    ids=lambda value: _name(value) if isinstance(value, Plan) else str(value),
)
def test_frames_are_as_long_as_real_ones(plan: Plan, groups: int, size: int) -> None:
    [frame] = frames(plan, SUMMER_NOON, number=1)
    assert frame.count(b"\n") == groups
    assert len(frame) == pytest.approx(size, rel=0.03)


def test_a_frame_takes_as_long_as_its_line_is_slow() -> None:
    times = []
    for mode in (Mode.STANDARD, Mode.HISTORIQUE):
        meter = SimulatedMeter(Plan(mode=mode), NOON)
        times.append(meter.seconds(b"x" * 960))
    assert times == [pytest.approx(1.02), pytest.approx(8.02)]


# --- what it measures ----------------------------------------------------------------------------


def test_the_same_seed_says_the_same() -> None:
    assert frames(Plan(seed=7)) == frames(Plan(seed=7))
    assert frames(Plan(seed=7)) != frames(Plan(seed=8))


def test_the_address_tells_phases_and_seed() -> None:
    assert [Plan(seed=7).meter_id, Plan(phases=3, seed=1_000_008).meter_id] == ["042161000007", "042176000008"]


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


def test_historique_and_standard_tell_the_same_energy() -> None:
    [_, historique] = readings(Plan(Contract.TEMPO, Mode.HISTORIQUE), step=3600, number=2)
    [_, standard] = readings(Plan(Contract.TEMPO, Mode.STANDARD), step=3600, number=2)
    assert [historique.get(slug) for slug in INDEXES[Contract.TEMPO]] == [
        standard.get(f"easf{n:02}") for n in range(1, 7)
    ]


def test_panels_make_a_meter_inject_at_noon() -> None:
    [*_, reading] = readings(Plan(Contract.PRODUCER, seed=3), SUMMER_NOON, number=40)
    assert isinstance(reading, Standard)
    assert reading.stge is not None
    assert reading.sinsti is not None
    assert (reading.sinsts, reading.sinsti > 0, reading.stge.role, reading.stge.energy_direction) == (
        0,
        True,
        "producer",
        "injected",
    )


def test_the_daily_maximum_starts_again_at_midnight() -> None:
    evening = datetime(2026, 1, 15, 22, 0, 0, tzinfo=UTC)
    told = [r for r in readings(Plan(), evening, step=60, number=120) if isinstance(r, Standard)]
    before, after = told[58], told[61]
    assert (after.smaxsn_prev, after.stamps["smaxsn_prev"].raw) == (before.smaxsn, before.stamps["smaxsn"].raw)
    assert after.stamps["smaxsn"].raw.startswith("H260116")


def test_the_load_curve_moves_every_half_hour() -> None:
    told = [reading.stamps["ccasn"].raw for reading in readings(Plan(), NOON, step=600, number=6)]
    assert told == ["H260115120000"] * 3 + ["H260115123000"] * 3


class Sauna(Household):
    """Two of them, on a subscription of 9 kVA."""

    def watts(self, at: datetime) -> tuple[float, float, float]:
        return 12_000.0, 0.0, 0.0


class Overloaded(Plan):
    @property
    def household(self) -> Household:
        return Sauna()


def test_above_the_subscribed_power_the_meter_warns() -> None:
    for historique, standard in (
        (Plan(mode=Mode.HISTORIQUE), Plan()),
        (Overloaded(mode=Mode.HISTORIQUE), Overloaded()),
    ):
        overloaded = isinstance(standard, Overloaded)
        [old] = readings(historique, number=1)
        [new] = readings(standard, number=1)
        assert isinstance(old, Historique)
        assert isinstance(new, Standard)
        assert new.stge is not None
        assert (old.adps, new.stge.over_power) == ((old.iinst, True) if overloaded else (None, False))


# --- tariffs -------------------------------------------------------------------------------------


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    ("contract", "at", "index"),
    [
        (Contract.BASE, "2026-01-15T23:00", 1),
        (Contract.PRODUCER, "2026-01-15T12:00", 1),
        (Contract.HCHP, "2026-01-15T21:59", 2),
        (Contract.HCHP, "2026-01-15T22:00", 1),
        (Contract.HCHP, "2026-01-15T05:59", 1),
        (Contract.HCHP, "2026-01-15T06:00", 2),
        (Contract.TEMPO, "2026-07-15T23:00", 1),
        (Contract.TEMPO, "2026-07-15T12:00", 2),
        (Contract.EJP, "2026-07-15T12:00", 1),
        (Contract.EJP, "2026-01-15T03:00", 1),
    ],
)
def test_the_index_follows_the_clock(contract: Contract, at: str, index: int) -> None:
    assert running_index(contract, local(at), 1) == index


def test_a_tempo_day_begins_at_six() -> None:
    red = next(day for day in _days() if colour(day, 1) == "rouge" and colour(day - timedelta(days=1), 1) == "bleu")
    assert [
        running_index(Contract.TEMPO, local(f"{red}T05:59"), 1),
        running_index(Contract.TEMPO, local(f"{red}T06:00"), 1),
        running_index(Contract.TEMPO, local(f"{red}T22:00"), 1),
        running_index(Contract.TEMPO, local(f"{red + timedelta(days=1)}T05:59"), 1),
    ] == [1, 6, 5, 5]


def test_an_ejp_peak_runs_from_seven_to_one() -> None:
    peak = next(day for day in _days() if mobile_peak(day, 1) and not mobile_peak(day - timedelta(days=1), 1))
    assert [
        running_index(Contract.EJP, local(f"{peak}T00:59"), 1),
        running_index(Contract.EJP, local(f"{peak}T06:59"), 1),
        running_index(Contract.EJP, local(f"{peak}T07:00"), 1),
        running_index(Contract.EJP, local(f"{peak + timedelta(days=1)}T00:59"), 1),
        running_index(Contract.EJP, local(f"{peak + timedelta(days=1)}T01:00"), 1),
    ] == [1, 1, 2, 2, 1]


def _days() -> list[date]:
    return [date(2025, 9, 1) + timedelta(days=n) for n in range(365)]


def test_colours_fall_as_the_rules_of_tempo_want() -> None:
    days = {day: colour(day, 1) for day in _days()}
    assert set(days.values()) == {"bleu", "blanc", "rouge"}
    red = [day for day, said in days.items() if said == "rouge"]
    white = [day for day, said in days.items() if said == "blanc"]
    assert [day for day in red if day.weekday() > 4 or day.month in range(4, 11)] == []
    assert [day for day in white if day.weekday() == 6] == []
    assert [day for day in days if mobile_peak(day, 1) and day.month in range(4, 11)] == []


@pytest.mark.parametrize("mode", Mode)
def test_tomorrows_colour_is_known_from_eight_in_the_evening_to_six(mode: Mode) -> None:
    def tomorrow(at: str) -> str | None:
        [reading] = readings(Plan(Contract.TEMPO, mode), local(at).astimezone(UTC), number=1)
        if isinstance(reading, Historique):
            assert "demain" in reading.model_fields_set
            return reading.demain
        assert isinstance(reading, Standard)
        assert reading.stge is not None
        return reading.stge.tempo_tomorrow

    known = colour(date(2026, 1, 16), 1)
    assert [tomorrow(f"2026-01-{at}") for at in ("15T06:00", "15T19:59", "15T20:00", "16T05:59", "16T06:00")] == [
        None,
        None,
        known,
        known,
        None,
    ]


def test_todays_colour_is_the_one_of_the_period() -> None:
    for hour in range(0, 48, 3):
        at = NOON + timedelta(hours=hour)
        [standard] = readings(Plan(Contract.TEMPO), at, number=1)
        [historique] = readings(Plan(Contract.TEMPO, Mode.HISTORIQUE), at, number=1)
        assert isinstance(standard, Standard)
        assert isinstance(historique, Historique)
        assert standard.stge is not None
        assert historique.ptec is not None
        assert {"B": "bleu", "W": "blanc", "R": "rouge"}[historique.ptec[-1]] == standard.stge.tempo_today
        assert (standard.ltarf or "").lower().endswith(standard.stge.tempo_today or "?")


@pytest.mark.parametrize(
    ("plan", "index", "name"),
    [
        (Plan(Contract.BASE), 1, "BASE"),
        (Plan(Contract.TEMPO), 6, "HP ROUGE"),
        (Plan(Contract.TEMPO, Mode.HISTORIQUE), 6, "HPJR"),
        (Plan(Contract.EJP, Mode.HISTORIQUE), 2, "PM"),
    ],
)
def test_an_index_has_the_name_that_the_mode_gives_it(plan: Plan, index: int, name: str) -> None:
    assert label(plan, index) == name


# --- plans in words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plan", "speed"),
    [
        ("", Plan(), 1.0),
        ("base", Plan(Contract.BASE), 1.0),
        (
            "tempo?mode=historique&phases=3&producer=1&seed=2&speed=10",
            Plan(Contract.TEMPO, Mode.HISTORIQUE, 3, True, 2),
            10.0,
        ),
        ("?speed=0.5", Plan(), 0.5),
    ],
)
def test_a_plan_is_read_from_words(text: str, plan: Plan, speed: float) -> None:
    assert read_plan(text) == (plan, speed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gas", "contract: 'gas' will not do; expected one of base, hchp, tempo, ejp, producer"),
        ("tempo?mode=x", "mode: 'x' will not do; expected historique or standard"),
        ("tempo?phases=2", "phases: '2' will not do; expected 1 or 3"),
        ("tempo?producer=yes", "producer: 'yes' will not do; expected 0 or 1"),
        ("tempo?seed=-1", "seed: '-1' will not do; expected a whole number"),
        ("tempo?speed=0", "speed: '0' will not do; expected a number above 0"),
        ("tempo?speed=0.0", "speed: '0.0' will not do; expected a number above 0"),
        ("tempo?speed=nan", "speed: 'nan' will not do; expected a number above 0"),
        ("tempo?speed=", "speed: '' will not do; expected a number above 0"),
        ("tempo?x", "x: no such option; expected one of contract, mode, phases, producer, seed, speed"),
    ],
)
def test_a_plan_that_cannot_be_names_option_value_and_expectation(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_plan(text)
    assert str(caught.value) == said


# --- damage --------------------------------------------------------------------------------------


def test_corrupt_damages_a_frame_and_the_decoder_notices() -> None:
    [frame] = frames(Plan(), number=1)
    [whole] = readings(Plan(), number=1)
    kinds = set()
    unseen = 0
    for seed in range(300):
        damaged = corrupt(frame, random.Random(seed))
        assert damaged != frame
        kinds.add((len(damaged) > len(frame)) - (len(damaged) < len(frame)))
        decoded = Decoder().decode(damaged)
        unseen += not decoded.refused and decoded.reading == whole
    assert kinds == {-1, 0, 1}
    # only damage outside the groups (STX, ETX, a doubled CR) changes nothing that counts
    assert unseen < 15


def test_corrupt_is_the_same_for_the_same_seed() -> None:
    assert corrupt(b"x" * 99, random.Random(5)) == corrupt(b"x" * 99, random.Random(5))
