"""The measurement of false values sees one when there is one."""

from __future__ import annotations

import random

from benchmarks.false_values import Judge, damage, frames, run


def fed(wrong: dict[int, int], *, guarded: bool) -> Judge:
    """A judge of thirty frames, told that EAST was less by so much in some of them."""
    judge = Judge(guarded=guarded)
    for n, (whole, truth) in enumerate(frames(30, random.Random(1))):
        east = truth["east"]
        assert isinstance(east, int)
        judge.feed(n, whole, {**truth, "east": east - wrong.get(n, 0)})
    judge.finish()
    return judge


def test_undamaged_frames_hold_nothing_wrong() -> None:
    tally = fed({}, guarded=True).tally
    assert (tally.frames, tally.values, tally.wrong, dict(tally.others)) == (30, 30 * 20, 0, {})


def test_a_wrong_index_is_counted_by_how_far_it_is_from_the_truth() -> None:
    # 9 kVA for 1.08 s are 2.7 Wh; twice that, and 2 Wh of rounding
    tally = fed({10: 7, 20: 8}, guarded=False).tally
    assert (tally.within, tally.beyond) == (1, 1)


def test_damage_hurts_the_group_that_it_names() -> None:
    rng = random.Random(2)
    [(whole, _)] = frames(1, rng)
    for bits in (7, 8):
        for _ in range(200):
            hurt, label = damage(whole, bits, rng)
            assert f"\n{label}\t".encode() in whole
            assert abs(len(hurt) - len(whole)) <= 4
            assert bits == 8 or hurt.isascii()


def test_a_short_run_counts_each_line() -> None:
    tallies = [*run(40, 1, bits=8), *run(40, 1, bits=7)]
    assert [tally.frames >= 30 and tally.hurt > 0 for tally in tallies] == [True, True, True]
