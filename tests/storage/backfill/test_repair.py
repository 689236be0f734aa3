from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from storage.backfill.repair import HOUR, Hour, Plan, Repair, Row, Shift, plan


def hours(*index: int, estimated: Sequence[int] = ()) -> dict[int, Hour]:
    """The index at the end of hours 0, 1, 2 ...; the first of them begins with the same."""
    starts = [index[0], *index]
    return {n * HOUR: Hour(starts[n], wh, n in estimated) for n, wh in enumerate(index)}


def rows(*of: tuple[int, float, float]) -> list[Row]:
    """(hour, state, sum)"""
    return [Row(n * HOUR, state, total) for n, state, total in of]


def test_nothing_is_wrong_with_hours_that_say_what_the_meter_said() -> None:
    """Some Wh late, as publishing is."""
    kept = rows((0, 1000, 0), (1, 1490, 490), (2, 1995, 995))
    assert plan(kept, hours(1000, 1500, 2000), 3 * HOUR) == Plan()


def test_missed_hours_continue_what_was_before_them() -> None:
    """The hour of return, the fifth, then counts 100: its sum is not touched."""
    kept = rows((0, 1000, 50), (5, 2600, 1650))
    assert plan(kept, hours(1000, 1500, 1600, 2000, 2500, 2600), 6 * HOUR) == Plan(
        (Repair(tuple(rows((1, 1500, 550), (2, 1600, 650), (3, 2000, 1050), (4, 2500, 1550))), 0),)
    )


def test_it_is_still_away() -> None:
    assert plan(rows((0, 1000, 50)), hours(1000, 1500, 1600), 3 * HOUR).repairs == (
        Repair(tuple(rows((1, 1500, 550), (2, 1600, 650))), 0),
    )


def test_hours_that_are_still_to_settle_are_left() -> None:
    assert plan(rows((0, 1000, 50)), hours(1000, 1500, 1600), 2 * HOUR).repairs == (
        Repair(tuple(rows((1, 1500, 550))), 0),
    )


def test_before_its_first_hour_nothing_is_missing() -> None:
    assert plan(rows((2, 1600, 0)), hours(1000, 1500, 1600), 3 * HOUR) == Plan()
    assert plan([], hours(1000, 1500, 1600), 3 * HOUR) == Plan()


def test_the_hour_in_which_it_stopped_gets_its_rest() -> None:
    """It heard 1460 of 1500, which alone is late publishing."""
    kept = rows((0, 1000, 0), (1, 1460, 460), (3, 2500, 1500))
    assert plan(kept, hours(1000, 1500, 2000, 2500), 4 * HOUR).repairs == (
        Repair(tuple(rows((1, 1500, 500), (2, 2000, 1000))), 0),
    )


def test_an_hour_of_which_it_heard_the_beginning_is_exchanged() -> None:
    kept = rows((0, 1000, 0), (1, 1100, 100), (2, 2000, 1000))
    assert plan(kept, hours(1000, 1500, 2000), 3 * HOUR).repairs == (Repair(tuple(rows((1, 1500, 500))), 0),)


def test_rows_that_stand_still_belong_to_the_hole() -> None:
    """Little is used at night: each of them alone could be late publishing."""
    kept = rows((0, 1000, 0), (1, 1000, 0), (2, 1000, 0), (4, 1600, 600))
    assert plan(kept, hours(1000, 1020, 1040, 1500, 1600), 5 * HOUR).repairs == (
        Repair(tuple(rows((1, 1020, 20), (2, 1040, 40), (3, 1500, 500))), 0),
    )


def test_little_that_was_missed_is_missed() -> None:
    """At dawn panels give some Wh: none of it may stand in the hour of return."""
    kept = rows((0, 1000, 0), (1, 1000, 0), (2, 1000, 0), (3, 1078, 78))
    assert plan(kept, hours(1000, 1000, 1020, 1078), 4 * HOUR).repairs == (Repair(tuple(rows((2, 1020, 20))), 0),)


def test_an_index_that_another_tariff_left_alone_may_be_rounded() -> None:
    kept = rows((0, 1000, 0), (1, 1000, 0), (2, 1500, 500))
    assert plan(kept, hours(1000, 1001, 1500), 3 * HOUR) == Plan()


def test_sums_after_a_hole_that_do_not_continue_are_moved() -> None:
    """Its owner took the peak out by hand, or Home Assistant began to count anew."""
    kept = rows((0, 1000, 500), (2, 2000, 0), (3, 2500, 500))
    assert plan(kept, hours(1000, 1500, 2000, 2500), 4 * HOUR).repairs == (
        Repair(tuple(rows((1, 1500, 1000))), 0, Shift(2 * HOUR, 1500)),
    )


def test_a_later_hole_continues_what_an_earlier_one_moved() -> None:
    kept = rows((0, 1000, 500), (2, 2000, 0), (4, 3000, 1000))
    assert plan(kept, hours(1000, 1500, 2000, 2500, 3000), 5 * HOUR).repairs == (
        Repair(tuple(rows((1, 1500, 1000))), 0, Shift(2 * HOUR, 1500)),
        Repair(tuple(rows((3, 2500, 2000))), 0),
    )


def test_the_running_hour_is_moved_too() -> None:
    """Of it there are only rows of five minutes."""
    newest = Row(2 * HOUR + 300, 1700, 20)
    assert plan(rows((0, 1000, 500)), hours(1000, 1500), 2 * HOUR, newest).repairs == (
        Repair(tuple(rows((1, 1500, 1000))), 0, Shift(2 * HOUR + 300, 1180)),
    )


def test_estimates_fill_holes_and_never_exchange_what_was_heard() -> None:
    kept = rows((0, 1000, 0), (1, 1900, 900), (3, 2500, 1500))
    known = hours(1000, 1500, 2000, 2500, estimated=(1, 2))
    assert plan(kept, known, 4 * HOUR).repairs == (Repair(tuple(rows((2, 2000, 1000))), 1),)


def test_what_is_not_known_stays_missing_and_is_counted() -> None:
    known = hours(1000, 1500, 2000, 2500)
    del known[HOUR]
    kept = rows((0, 1000, 0), (3, 2500, 1500))
    assert plan(kept, known, 4 * HOUR) == Plan((Repair(tuple(rows((2, 2000, 1000))), 0),), unknown=1)


def test_an_index_that_began_anew_in_a_hole_is_left_as_it_is() -> None:
    kept = rows((0, 1000, 0), (3, 40, 1040), (5, 200, 1200))
    known = {HOUR: Hour(1000, 1500, False), 2 * HOUR: Hour(1500, 1600, False), 4 * HOUR: Hour(40, 100, False)}
    assert plan(kept, known, 6 * HOUR) == Plan((Repair(tuple(rows((4, 100, 1100))), 0),), unfit=(HOUR,))


def test_another_meters_index_is_left_as_it_is() -> None:
    assert plan(rows((0, 90_000, 0)), hours(1000, 1500), 2 * HOUR) == Plan(unfit=(HOUR,))


# --- of any history ------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 9000), min_size=2, max_size=40),
    st.sets(st.integers(1, 39)),
    st.integers(-5000, 5000),
    st.integers(0, 39),
)
def test_whatever_was_missed_each_hour_counts_what_the_meter_did(
    wh: list[int], missed: set[int], moved: int, from_hour: int
) -> None:
    """Rows that are missing, and sums that somebody moved from some hour on where one is missing before it."""
    index = [100_000 + sum(wh[: n + 1]) for n in range(len(wh))]
    known = {n * HOUR: Hour(index[n] - wh[n], index[n], False) for n in range(len(wh))}
    is_moved = from_hour - 1 in missed and from_hour not in missed
    kept = [
        Row(n * HOUR, index[n], index[n] - index[0] + (moved if is_moved and n >= from_hour else 0))
        for n in range(len(wh))
        if n not in missed
    ]
    there = written(kept, plan(kept, known, len(wh) * HOUR))
    assert [row.start for row in there] == [n * HOUR for n in range(len(wh))]
    assert [b.sum - a.sum for a, b in pairwise(there)] == wh[1:]
    assert plan(there, known, len(wh) * HOUR) == Plan()


def written(kept: list[Row], made: Plan) -> list[Row]:
    """What Home Assistant has once it did what it was told."""
    there = {row.start: row for row in kept}
    for repair in made.repairs:
        if repair.shift is not None:
            for start in [start for start in there if start >= repair.shift.start]:
                there[start] = there[start]._replace(sum=there[start].sum + repair.shift.wh)
        there |= {row.start: row for row in repair.rows}
    return [there[start] for start in sorted(there)]
