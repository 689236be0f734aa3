"""What the simulated meter remembers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.simulated.contract import Contract
from bridge.simulated.household import Household
from bridge.simulated.plan import Plan
from bridge.simulated.registers import Dated, Instant, Registers, Watts, apparent
from bridge.tic.values import PARIS, write_stamp
from tests.bridge.simulated import local

HOUSE = Household()


def measure(plan: Plan, start: datetime, *steps: tuple[float, Watts]) -> Registers:
    """(seconds after the one before, W of each phase)."""
    registers, at = Registers(plan, start), start.astimezone(UTC)
    for seconds, watts in steps:
        at += timedelta(seconds=seconds)
        registers.measure(Instant(plan, HOUSE, at.astimezone(PARIS), watts))
    return registers


def test_energy_goes_to_the_index_in_force() -> None:
    plan, start = Plan(Contract.HCHP), local("2026-01-15T21:00")
    before = Registers(plan, start).drawn
    registers = measure(plan, start, (1800, (2000.0, 0.0, 0.0)), (3600, (500.0, 500.0, 0.0)))
    assert [after - index for index, after in zip(before, registers.drawn, strict=True)] == [1000, 1000] + [0] * 8


def test_what_is_injected_is_not_drawn() -> None:
    plan, start = Plan(Contract.PRODUCER), local("2026-06-15T12:00")
    registers = measure(plan, start, (3600, (500.0, -2500.0, 0.0)))
    assert (registers.drawn, registers.injected) == (Registers(plan, start).drawn, 4_671_631.0 + 2000)


def test_the_repeated_hour_of_october_counts() -> None:
    plan, start = Plan(Contract.BASE), datetime(2026, 10, 25, 0, 30, tzinfo=UTC).astimezone(PARIS)
    steps: list[tuple[float, Watts]] = [(600, (600.0, 0.0, 0.0))] * 6  # an hour, over the moment when clocks go back
    registers = measure(plan, start, *steps)
    assert registers.drawn[0] - Registers(plan, start).drawn[0] == 600
    points = [registers.drawn_curve.before, registers.drawn_curve.last]
    assert [write_stamp(point.at) for point in points] == ["H261025020000", "H261025023000"]
    assert [point.power for point in points] == pytest.approx([600.0, 600.0])


def test_the_maximum_is_that_of_the_breakers_filter() -> None:
    # 54E section 7: at 1.4 times PCOUP from rest the filter needs 247 s to reach 1.3
    plan, start = Plan(), local("2026-01-15T12:00")
    pcoup = 9000 * 0.95
    registers = measure(plan, start, (1, (0.0, 0.0, 0.0)), *[(1.0, (1.4 * pcoup, 0.0, 0.0))] * 247)
    assert registers.taking[0].today.power == pytest.approx(1.3 * 9000, rel=0.002)
    assert registers.taking[0].today.at == local("2026-01-15T12:04:08")
    assert registers.taking[1].today.power == registers.taking[0].today.power
    assert registers.taking[2].today.power == 0


def test_one_long_step_filters_as_many_short_ones() -> None:
    start = local("2026-01-15T12:00")
    rest: tuple[float, Watts] = (1, (0.0, 0.0, 0.0))
    long = measure(Plan(), start, rest, (100, (5000.0, 0.0, 0.0)))
    short = measure(Plan(), start, rest, *[(1.0, (5000.0, 0.0, 0.0))] * 100)
    assert long.taking[0].today.power == pytest.approx(short.taking[0].today.power)


def test_at_midnight_today_becomes_yesterday() -> None:
    steps: list[tuple[float, Watts]] = [(60, (5000.0, 0.0, 0.0)), (60, (4000.0, -6000.0, 0.0))]
    registers = measure(Plan(producer=True), local("2026-01-15T23:58:30"), *steps)
    assert registers.taking[0].before.at == local("2026-01-15T23:59:30")
    assert registers.taking[0].before.power == pytest.approx(5000 / 0.95)
    assert registers.taking[0].today.at == local("2026-01-16T00:00:30")
    assert registers.giving.before.power == 0
    assert registers.giving.today.at == local("2026-01-16T00:00:30")
    assert registers.giving.today.power == pytest.approx(2000 / 0.95)


def test_a_point_of_the_load_curve_is_the_mean_of_its_period() -> None:
    plan, start = Plan(producer=True), local("2026-01-15T12:00")
    steps: list[tuple[float, Watts]] = [(900, (1000.0, 0.0, 0.0)), (900, (3000.0, 0.0, 0.0)), (60, (-500.0, 0.0, 0.0))]
    registers = measure(plan, start, *steps)
    assert registers.drawn_curve.last == Dated(2000.0, local("2026-01-15T12:30"))
    assert registers.drawn_curve.before == Dated(0.0, local("2026-01-15T12:00"))
    assert registers.injected_curve.last == Dated(0.0, local("2026-01-15T12:30"))
    assert registers.injected_curve.energy > 0


@pytest.mark.parametrize(("watts", "volt_amperes"), [(950.0, 1000), (0.0, 0), (-500.0, 0), (1e9, 99_999)])
def test_apparent_power_is_drawn_power_in_five_digits(watts: float, volt_amperes: int) -> None:
    assert apparent(watts) == volt_amperes


class Greedy(Household):
    def watts(self, at: datetime) -> Watts:
        return 1000.0, 2000.0, 3000.0

    def excess(self, at: datetime) -> float:
        return 1.2

    def volts(self, phase: int, at: datetime) -> float:
        return 230.0


@pytest.mark.parametrize(
    ("plan", "watts", "currents"),
    [
        (Plan(), (6000.0, 0.0, 0.0), {1: 27}),
        (Plan(phases=3), (1000.0, 2000.0, 3000.0), {1: 5, 2: 9, 3: 14}),
        (Plan(overload=True), (pytest.approx(10_260), 0.0, 0.0), {1: 47}),
        (Plan(phases=3, overload=True), (pytest.approx(6840), 2000.0, 3000.0), {1: 31, 2: 9, 3: 14}),
    ],
)
def test_an_instant_is_what_the_household_takes(plan: Plan, watts: Watts, currents: dict[int, int]) -> None:
    instant = Instant.of(plan, Greedy(), local("2026-01-15T12:00"))
    assert (instant.watts, instant.total, instant.currents) == (watts, sum(instant.watts), currents)
    assert instant.volts == dict.fromkeys(currents, 230.0)
