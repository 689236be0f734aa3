"""One index over time, without a database."""

from __future__ import annotations

import pytest

from storage.energy import Energy, Index, covered, follows, silences

MINUTE = 60_000


def energies(samples: list[tuple[int, int]], *minutes: int, tight: int = MINUTE) -> list[Energy]:
    index = Index.of([at for at, _ in samples], [value for _, value in samples])
    return index.energies([minute * MINUTE for minute in minutes], tight)


def test_between_two_readings_an_index_rises_evenly_and_is_rounded_down() -> None:
    assert energies([(-30_000, 100), (30_000, 103), (90_000, 110)], 0, 1) == [Energy(106 - 101, False, False)]


def test_buckets_add_up_to_the_indexes_own_difference() -> None:
    found = energies([(0, 0), (7 * MINUTE, 10)], 0, 1, 2, 3, 4, 5, 6, 7)
    assert [energy.wh for energy in found] == [1, 1, 2, 1, 2, 1, 2]
    assert [energy.estimated for energy in found] == [True] * 7


def test_what_did_not_move_in_a_silence_is_no_guess() -> None:
    assert energies([(0, 5), (9 * MINUTE, 5)], 3, 4) == [Energy(0, False, False)]


def test_outside_the_readings_nothing_is_known() -> None:
    samples = [(60_000, 5), (119_000, 6)]
    assert energies(samples, 0, 1, 2, 3) == [
        Energy(None, False, False),
        Energy(1, False, False),
        Energy(None, False, False),
    ]


def test_a_single_reading_tells_no_energy() -> None:
    assert energies([(30_000, 5)], 0, 1) == [Energy(None, False, False)]


def test_a_fall_begins_anew_and_what_it_counted_then_is_not_known() -> None:
    samples = [(0, 5000), (50_000, 5010), (70_000, 3), (130_000, 9)]
    assert energies(samples, 0, 1, 2) == [Energy(10, False, True), Energy(5, False, True)]


def test_a_bucket_that_holds_nothing_but_a_new_beginning_knows_nothing() -> None:
    samples = [(0, 5000), (10_000, 5001), (200_000, 3), (210_000, 4)]
    assert energies(samples, 1, 2) == [Energy(None, False, True)]


def test_a_fall_of_some_wh_is_a_reading_that_came_late() -> None:
    samples = [(0, 100), (10_000, 104), (11_000, 103), (20_000, 110), (60_000, 120)]
    assert energies(samples, 0, 1) == [Energy(20, False, False)]


def test_a_leap_that_is_taken_back_is_left_out() -> None:
    samples = [(0, 100), (10_000, 900_000_000), (20_000, 110), (60_000, 120)]
    assert energies(samples, 0, 1) == [Energy(20, False, False)]


def test_the_other_half_of_a_moment_counts_with_what_follows() -> None:
    samples = [(0, 0), (60_000, 10), (60_000, 13), (120_000, 20)]
    assert energies(samples, 0, 1, 2) == [Energy(10, False, False), Energy(10, False, False)]


@pytest.mark.parametrize(
    ("wh", "seconds", "does"),
    [
        (-10, 1, True), (-11, 1, False), (100, 0, True), (101, 0, False),
        (100 + 43_200, 3600, True), (101 + 43_200, 3600, False),
        (1, 400 * 86_400, True), (1, 400 * 86_400 + 1, False),
    ],
)  # fmt: skip
def test_what_an_index_can_do_in_a_time(wh: int, seconds: int, does: bool) -> None:
    assert follows(1000, 1000 + wh, seconds * 1000) is does


def test_a_long_silence_is_not_covered() -> None:
    times = [0, 100_000, 400_000, 700_001, 800_000]
    quiet = silences(times)
    assert quiet == [(400_000, 700_001)]
    stretches = ((-5, 50_000), (300_000, 500_000), (500_000, 600_000), (0, 900_000))
    assert [covered(times, quiet, a, b) for a, b in stretches] == [50_000, 100_000, 0, 499_999]
    assert covered([], [], 0, 10) == 0
