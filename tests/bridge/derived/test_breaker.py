"""The meter's own model of its breaker."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bridge.derived.breaker import B, BreakerModel, Outlook, filtered, seconds_to_trip
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan
from bridge.tic.decode import Decoder
from bridge.tic.models import Standard

LEVEL = 11_700.0  # 1.3 x 9 kVA

# --- the law of 54E section 7 --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draw", "from_rest", "from_full"),
    [
        (1.1, None, None), (1.31, 521, 412), (1.4, 247, 158), (1.5, 173, 100), (2.0, 68, 33), (2.5, 39, 18),
        (5.0, 8.7, 3.6), (10.0, 2.1, 0.9),
    ],
)  # fmt: skip
def test_the_figures_of_the_note(draw: float, from_rest: float | None, from_full: float | None) -> None:
    left = [seconds_to_trip(before, draw, 1.3) for before in (0.0, 1.0)]
    assert [t if t is None else round(t) if t > 10 else round(t, 1) for t in left] == [from_rest, from_full]


def test_at_the_level_itself_the_breaker_holds_for_ever() -> None:
    assert seconds_to_trip(1.0, 1.3, 1.3) is None
    assert seconds_to_trip(1.7, 1.31, 1.3) == 0.0


def test_a_second_is_what_the_meter_computes_each_second() -> None:
    assert filtered(4.0, 3.0, 1) == pytest.approx(B * 3.0**2 + (1 - B) * 4.0)


@given(st.floats(0, 2), st.floats(0, 10), st.lists(st.floats(0, 100), min_size=1, max_size=20))
def test_steps_of_any_length_come_to_the_same(before: float, power: float, steps: list[float]) -> None:
    square = before
    for seconds in steps:
        square = filtered(square, power, seconds)
    assert square == pytest.approx(filtered(before, power, sum(steps)))


@given(st.floats(0, 1.68), st.floats(1.301, 10))
def test_the_filter_reaches_its_level_when_it_was_foretold(before: float, power: float) -> None:
    left = seconds_to_trip(before, power, 1.3)
    assert left is not None
    assert filtered(before, power, left) == pytest.approx(1.69)


# --- one phase -----------------------------------------------------------------------------------


def outlooks(*readings: Standard, every: float = 1.0) -> list[Outlook | None]:
    model = BreakerModel()
    return [model.take(reading, n * every) for n, reading in enumerate(readings)]


def test_the_margin_is_what_may_be_added_for_ever() -> None:
    assert outlooks(Standard(sinsts=4500, smaxsn=5000, pcoup=9)) == [Outlook(7200, None)]
    assert outlooks(Standard(sinsts=4501, smaxsn=5000, pcoup=9)) == [Outlook(7100, None)]  # rounded down
    assert outlooks(Standard(sinsts=0, smaxsn=5000, pcoup=9)) == [Outlook(11_700, None)]
    # above the level there is something to switch off
    assert outlooks(Standard(sinsts=12_000, smaxsn=12_000, pcoup=9)) == [Outlook(-300, 0)]


def test_a_pilot_meter_spells_the_same_in_its_own_way() -> None:
    assert outlooks(Standard(sinst1=4500, smaxn=5000, pcoup=9)) == [Outlook(7200, None)]


def test_what_is_injected_does_not_count() -> None:
    assert outlooks(Standard(sinsts=0, sinsti=20_000, smaxsn=5000, pcoup=9)) == [Outlook(11_700, None)]


@pytest.mark.parametrize("reading", [Standard(), Standard(sinsts=1), Standard(pcoup=9), Standard(sinsts=1, pcoup=0)])
def test_without_a_draw_or_a_cut_off_power_nothing_is_told(reading: Standard) -> None:
    assert outlooks(reading) == [None]


def test_the_cut_off_power_is_remembered() -> None:
    assert outlooks(Standard(sinsts=4500, pcoup=9), Standard(sinsts=4600)) == [
        Outlook(7200, None),
        Outlook(7100, None),
    ]


def test_at_the_start_the_filter_stands_no_higher_than_the_days_maximum() -> None:
    # SMAXSN is the greatest output of the filter; 9000 VA in 9 kVA is Y = 1, the note's second row
    assert outlooks(Standard(sinsts=18_000, smaxsn=9000, pcoup=9)) == [Outlook(-6300, 32)]
    assert outlooks(Standard(sinsts=18_000, smaxsn=0, pcoup=9)) == [Outlook(-6300, 68)]
    # without one it stands below the level, for the breaker is closed
    assert outlooks(Standard(sinsts=18_000, pcoup=9)) == [Outlook(-6300, 0)]
    # a maximum from before the cut-off power was lowered
    assert outlooks(Standard(sinsts=6000, smaxsn=12_000, pcoup=3)) == [Outlook(-2100, 0)]


def constant(power: int, maximum: int, seconds: int) -> Iterable[Standard]:
    return (Standard(sinsts=power, smaxsn=maximum, pcoup=9) for _ in range(seconds))


def test_after_minutes_the_start_is_forgotten_and_time_runs_down() -> None:
    # ten minutes at 1 kVA, then twice the cut-off power, while the maximum follows the filter
    model = BreakerModel()
    for second in range(600):
        model.take(Standard(sinsts=1000, smaxsn=11_000, pcoup=9), second)
    square, left = 1000.0**2, []
    for second in range(600, 668):
        square = filtered(square, 18_000, 1)
        outlook = model.take(Standard(sinsts=18_000, smaxsn=max(11_000, int(math.sqrt(square))), pcoup=9), second)
        assert outlook is not None
        left.append(outlook.seconds)
    # from rest it takes 68 s; what was left of the start after ten minutes makes less than a second
    assert left == [*range(66, -1, -1), 0]


def test_the_days_maximum_holds_the_filter_down() -> None:
    # the maximum does not rise, so the filter was lower than it may have been at the start
    *_, last = outlooks(*constant(13_500, 11_000, 60))
    assert last == Outlook(-1800, seconds_at_maximum(11_000, 13_500))


def seconds_at_maximum(maximum: int, power: int) -> int:
    left = seconds_to_trip((maximum + 1.0) ** 2, power, LEVEL)
    assert left is not None
    return int(left)


def test_a_maximum_that_fell_at_midnight_holds_nothing_down_until_it_rises() -> None:
    model = BreakerModel()
    model.take(Standard(sinsts=13_500, smaxsn=11_000, pcoup=9), 0.0)
    bound = (11_001.0) ** 2
    # the register starts at 0 and is not this day's yet
    for second in (1, 2):
        bound = filtered(bound, 13_500, 1)
        expected = seconds_to_trip(bound, 13_500, LEVEL)
        assert expected is not None
        assert model.take(Standard(sinsts=13_500, smaxsn=0, pcoup=9), second) == Outlook(-1800, int(expected))
    # now it is
    assert model.take(Standard(sinsts=13_500, smaxsn=9000, pcoup=9), 3) == Outlook(
        -1800, seconds_at_maximum(9000, 13_500)
    )


def test_after_a_silence_the_maximum_alone_tells() -> None:
    idle, loaded = Standard(sinsts=0, smaxsn=9000, pcoup=9), Standard(sinsts=18_000, smaxsn=9000, pcoup=9)
    model = BreakerModel()
    for second in range(600):
        model.take(idle, second)
    assert model.take(loaded, 629.0) == Outlook(-6300, 38)  # 30 of the 68 s that it takes from rest
    assert model.take(loaded, 659.1) == Outlook(-6300, 32)


def test_a_draw_that_is_not_told_for_long_is_not_known() -> None:
    model = BreakerModel()
    model.take(Standard(sinsts=4500, smaxsn=5000, pcoup=9), 0.0)
    assert [model.take(Standard(pcoup=9), at) for at in (1.0, 30.0, 31.0)] == [None, None, Outlook(None, None)]


@given(st.floats(0, 1.69), st.lists(st.integers(0, 30_000), min_size=1, max_size=60))
@example(0.0, [18_000] * 60)
def test_the_time_left_is_never_said_too_long(start: float, powers: list[int]) -> None:
    """Whatever the meter's filter was before we came: its maximum of the day was no less."""
    square = start * 9000**2
    maximum = int(math.sqrt(square))
    model = BreakerModel()
    for second, power in enumerate(powers):
        square = filtered(square, power, 1)
        if square >= LEVEL**2:
            return  # it tripped
        maximum = max(maximum, int(math.sqrt(square)))
        outlook = model.take(Standard(sinsts=power, smaxsn=maximum, pcoup=9), second)
        true = seconds_to_trip(square, power, LEVEL)
        assert outlook is not None
        assert (outlook.seconds is None) is (true is None)
        assert outlook.seconds is None or (true is not None and outlook.seconds <= true)


# --- three phases --------------------------------------------------------------------------------


def test_on_three_phases_the_nearest_to_its_third_counts() -> None:
    reading = Standard(
        sinsts=9000, sinsts1=1000, sinsts2=5000, sinsts3=3000, smaxsn=9000, smaxsn1=1000, smaxsn2=5000, smaxsn3=3000,
        pcoup=18,
    )  # fmt: skip
    assert outlooks(reading) == [Outlook(2800, None)]  # 1.3 x 6000 - 5000
    overloaded = reading.model_copy(update={"sinsts1": 12_000, "sinsts2": 9000, "smaxsn1": 6000, "smaxsn2": 6000})
    assert outlooks(overloaded) == [Outlook(-4200, 32)]


def test_three_phases_are_known_before_their_powers_are() -> None:
    # a meter whose SINSTSn are impossible: the total must not be held against a single phase
    assert outlooks(Standard(sinsts=9000, smaxsn=9000, urms2=230, pcoup=18), Standard(sinsts=9000)) == [None, None]
    single = Standard(sinsts=9000, smaxsn=9000, pcoup=18)
    assert outlooks(single, Standard(sinsts=9000, sinsts2=1)) == [Outlook(14_400, None), None]


# --- against a meter that runs the filter itself -------------------------------------------------


@pytest.mark.parametrize("phases", [1, 3])
def test_the_filter_runs_with_that_of_a_simulated_meter(phases: int) -> None:
    """Whenever its maximum of the day rises, that is what its filter gives now: ours gives the same."""
    start = datetime(2026, 1, 15, 16, tzinfo=UTC)
    meter = SimulatedMeter(Plan(phases=phases, overload=True), start)
    decoder, model = Decoder(), BreakerModel()
    slugs = ("smaxsn",) if phases == 1 else ("smaxsn1", "smaxsn2", "smaxsn3")
    before = [0] * phases
    differences = []
    for n in range(2400):
        seconds = n * 1.1
        reading = decoder.decode(meter.frame(start + timedelta(seconds=seconds))).reading
        assert isinstance(reading, Standard)
        model.take(reading, seconds)
        filters = [math.sqrt(phase.square) for phase in model._phases]
        maxima = [reading.get(slug) for slug in slugs]
        rising = [
            (maximum, ours) for maximum, ours, last in zip(maxima, filters, before, strict=True) if maximum > last
        ]
        differences += [maximum - ours for maximum, ours in rising]
        assert all(ours <= maximum + 1 for maximum, ours in zip(maxima, filters, strict=True))
        before = maxima
    assert len(differences) > 100
    assert max(map(abs, differences)) < 1.01
