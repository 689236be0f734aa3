"""Raised and cleared: literal histories, and any history against a plain loop over all of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.alerts.conditions import SILENCE, Change, Condition, Operator, Scalar, Standing, step

TEN = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
History = Sequence[tuple[int, Scalar | None]]  # seconds after ten, value
R, C = Change.RAISED, Change.CLEARED


def changes(condition: Condition, history: History) -> list[tuple[int, Change]]:
    """When the machine says what."""
    standing: Standing | None = None
    found = []
    for second, value in history:
        standing, change = step(condition, standing, TEN + timedelta(seconds=second), value)
        if change is not None:
            found.append((second, change))
    return found


ABOVE = Condition(Operator.GT, 100)
CASES = [
    (ABOVE, [(0, 100), (1, 101), (2, 150), (3, 100)], [(1, R), (3, C)]),
    (Condition(Operator.GE, 100), [(0, 99), (1, 100), (2, 99)], [(1, R), (2, C)]),
    (Condition(Operator.LT, 100), [(0, 100), (1, 99), (2, 100)], [(1, R), (2, C)]),
    (Condition(Operator.LE, 100, hysteresis=10), [(0, 100), (1, 110), (2, 111)], [(0, R), (2, C)]),
    (Condition(Operator.EQ, "rouge"), [(0, "blanc"), (1, "rouge"), (2, None)], [(1, R), (2, C)]),
    (Condition(Operator.NE, "closed"), [(0, "closed"), (1, "order"), (2, None)], [(1, R), (2, C)]),
    (Condition(Operator.EQ, True), [(0, False), (1, True), (2, False)], [(1, R), (2, C)]),
    # flapping around the limit is one alert with hysteresis, and as many as there are crossings without
    (Condition(Operator.GT, 100, hysteresis=20), [*((n, 110 if n % 2 else 90) for n in range(8)), (8, 80)],
     [(1, R), (8, C)]),
    (ABOVE, [(n, 110 if n % 2 else 90) for n in range(5)], [(1, R), (2, C), (3, R), (4, C)]),
    # ten seconds: the reading that began it counts, one that does not hold begins anew
    (Condition(Operator.GT, 100, duration=10), [(0, 101), (9, 101), (10, 101)], [(10, R)]),
    (Condition(Operator.GT, 100, duration=10), [(0, 101), (9, 100), (10, 101), (19, 101), (20, 101)], [(20, R)]),
    # over a silence nothing is known to have lasted; but what is raised stays
    (Condition(Operator.GT, 100, duration=10), [(0, 101), (901, 101), (911, 101)], [(911, R)]),
    (Condition(Operator.GT, 100, duration=10), [(0, 101), (900, 101)], [(900, R)]),
    (ABOVE, [(0, 101), (90_000, 101), (90_001, 99)], [(0, R), (90_001, C)]),
    # a clock that is set back: what waited begins anew, what is raised stays
    (Condition(Operator.GT, 100, duration=10), [(5, 101), (0, 101), (9, 101), (10, 101)], [(10, R)]),
    (ABOVE, [(1000, 101), (0, 101), (1, 99)], [(1000, R), (1, C)]),
    # calm: it is over when it did not hold for so long, without a break
    (Condition(Operator.LE, 60, calm=60), [(0, 50), (1, None), (60, 50), (61, None), (120, None), (121, None)],
     [(0, R), (121, C)]),
    (Condition(Operator.LE, 60, calm=60), [(0, 50), (1, None), (1000, None), (1060, None)], [(0, R), (1060, C)]),
]  # fmt: skip


@pytest.mark.parametrize(("condition", "history", "expected"), CASES)
def test_histories(condition: Condition, history: History, expected: list[tuple[int, Change]]) -> None:
    assert changes(condition, history) == expected


def test_what_is_kept_is_when_it_began_and_how_far_it_went() -> None:
    standing: Standing | None = None
    for second, value in ((0, 101), (1, 180), (2, 120)):
        standing, _ = step(ABOVE, standing, TEN + timedelta(seconds=second), value)
    assert standing == Standing(TEN, TEN + timedelta(seconds=2), 120, 180, is_raised=True)


def test_a_beginning_before_the_first_look_is_told_by_whoever_knows_it() -> None:
    before = TEN - timedelta(minutes=7)
    standing, _ = step(Condition(Operator.GE, 7), None, TEN, 7, before)
    assert standing is not None
    assert standing.since == before


# --- any history ---------------------------------------------------------------------------------


def expected_changes(condition: Condition, history: History) -> list[tuple[int, Change]]:
    """By looking back over the whole history at each value."""
    found: list[tuple[int, Change]] = []
    is_raised, fresh = False, 0  # since `fresh` nothing was raised
    for n, (now, value) in enumerate(history):
        if not is_raised:
            first = _run(history, fresh, n, condition.begins)
            if first is not None and now - history[first][0] >= condition.duration:
                found.append((now, R))
                is_raised, fresh = True, n + 1
        elif not condition.lasts(value):
            first = _run(history, fresh, n, lambda one: not condition.lasts(one))
            if first is not None and now - history[first][0] >= condition.calm:
                found.append((now, C))
                is_raised, fresh = False, n + 1
    return found


def _run(history: History, fresh: int, last: int, holds) -> int | None:  # type: ignore[no-untyped-def]  # a predicate
    """Where the unbroken row of values that hold began, which ends at `last`."""
    first = None
    for n in range(last, fresh - 1, -1):
        if not holds(history[n][1]):
            break
        if first is not None and not 0 <= history[n + 1][0] - history[n][0] <= SILENCE.total_seconds():
            break
        first = n
    return first


@given(
    st.sampled_from(sorted(Operator)), st.integers(0, 5), st.integers(0, 3), st.sampled_from([0, 1, 30, 900, 1800]),
    st.sampled_from([0, 1, 60]),
    st.lists(st.tuples(st.sampled_from([0, 1, 1, 5, 30, 600, 900, 901, -1, -700]), st.none() | st.integers(0, 8)),
             max_size=40),
)  # fmt: skip
def test_any_history_is_raised_and_cleared_as_a_plain_loop_says(
    operator: Operator, threshold: int, hysteresis: int, duration: int, calm: int, steps: list[tuple[int, int | None]]
) -> None:
    condition = Condition(operator, threshold, hysteresis, duration, calm)
    now, history = 0, []
    for gap, value in steps:
        now += gap
        history.append((now, value))
    found = changes(condition, history)
    assert found == expected_changes(condition, history)
    assert [change for _, change in found] == [R if n % 2 == 0 else C for n in range(len(found))]
