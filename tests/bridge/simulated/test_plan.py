"""Plans in words."""

from __future__ import annotations

import pytest

from bridge.simulated.contract import Contract
from bridge.simulated.plan import OPTIONS, Plan, read_clock, read_plan
from bridge.tic.catalogue import Mode
from tests.bridge.simulated import local

ALL = "contract, mode, phases, producer, seed, overload, degraded, corrupt, start, speed"


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
        ("hchp?overload=1&degraded=1", Plan(Contract.HCHP, overload=True, degraded=True), 1.0),
        ("?corrupt=0.25", Plan(corrupt=0.25), 1.0),
        ("?corrupt=1", Plan(corrupt=1.0), 1.0),
        ("ejp?start=2026-01-15T18:00", Plan(Contract.EJP, start=local("2026-01-15T18:00")), 1.0),
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
        ("tempo?overload=", "overload: '' will not do; expected 0 or 1"),
        ("tempo?seed=-1", "seed: '-1' will not do; expected a whole number"),
        ("tempo?speed=0", "speed: '0' will not do; expected a number above 0"),
        ("tempo?speed=0.0", "speed: '0.0' will not do; expected a number above 0"),
        ("tempo?speed=nan", "speed: 'nan' will not do; expected a number above 0"),
        ("tempo?speed=", "speed: '' will not do; expected a number above 0"),
        ("tempo?corrupt=1.5", "corrupt: '1.5' will not do; expected a share from 0 to 1"),
        ("tempo?start=noon", "start: 'noon' will not do; expected a local time such as 2026-01-15T18:00"),
        ("tempo?start=2026-02-30T18:00", "start: '2026-02-30T18:00' will not do; expected a local time such as "),
        ("tempo?x", f"x: no such option; expected one of {ALL}"),
    ],
)
def test_a_plan_that_cannot_be_names_option_value_and_expectation(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read_plan(text)
    assert str(caught.value).startswith(said)


def test_every_option_has_a_default_that_it_accepts() -> None:
    assert Plan() == read_plan("&".join(["?", *(f"{key}={option.default}" for key, option in OPTIONS.items())]))[0]


def test_no_clock_is_the_time_that_it_is() -> None:
    assert read_clock("") is None


def test_the_address_tells_phases_and_seed() -> None:
    assert [Plan(seed=7).meter_id, Plan(phases=3, seed=1_000_008).meter_id] == ["042161000007", "042176000008"]


def test_the_subscribed_current_is_the_power_at_200_volts() -> None:
    assert [Plan().subscribed_current, Plan(phases=3).subscribed_current] == [45, 30]


@pytest.mark.parametrize(
    ("plan", "injects"),
    [(Plan(), False), (Plan(producer=True), True), (Plan(Contract.PRODUCER), True)],
)
def test_panels_come_with_the_option_or_the_contract(plan: Plan, injects: bool) -> None:
    assert (plan.injects, plan.household.solar_kw > 0) == (injects, injects)
