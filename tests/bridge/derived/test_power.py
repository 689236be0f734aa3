"""Mean active power from how fast the indexes move."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.derived.power import MeanPower, drawn_total
from bridge.tic.models import Historique

FRAME = 1.08  # s


def means(watts: float, seconds: float, every: float = FRAME, injected: float | None = None) -> list[int | None]:
    """What a meter with this load makes us say, frame by frame; panels give `injected` W to the grid."""
    power = MeanPower()
    frames = int(seconds / every)
    return [
        power.take(
            int(1_000_000.4 + watts * n * every / 3600),
            None if injected is None else int(500_000.7 + injected * n * every / 3600),
            n * every,
        )
        for n in range(frames)
    ]


def last(told: Iterable[int | None]) -> int | None:
    *_, value = told
    return value


@pytest.mark.parametrize("watts", [20, 100, 500, 1000, 3000, 9000, 36_000])
@pytest.mark.parametrize("every", [0.9, 1.5, 3.0])
def test_a_steady_load_is_found_again(watts: int, every: float) -> None:
    settled = means(watts, 1200, every)[int(500 / every) :]
    assert [told for told in settled if told is None or abs(told - watts) > max(20, 0.06 * watts)] == []


def test_plain_differences_over_the_window_would_be_coarse() -> None:
    # why it is not done so: one Wh more or less in a minute is 60 W
    counts = [int(500 * second / 3600) for second in range(600)]
    differences = {(later - sooner) * 60 for sooner, later in zip(counts, counts[60:], strict=False)}
    assert differences == {480, 540}
    assert {told for told in means(500, 600) if told is not None} <= set(range(480, 530, 10))


def test_injected_energy_counts_negative() -> None:
    assert last(means(0, 300, injected=2000)) == pytest.approx(-2000, abs=100)
    assert last(means(0, 300, injected=0)) is None  # not a move so far


def test_until_the_window_is_full_nothing_is_told() -> None:
    told = means(3000, 120)
    first = next(n for n, value in enumerate(told) if value is not None)
    # the first move comes within two frames, and the window is a minute
    assert 60 <= first * FRAME <= 63
    assert None not in told[first:]


def test_a_house_that_draws_nothing_draws_nothing() -> None:
    told = means(0, 700)
    assert [told[int(599 / FRAME)], told[int(602 / FRAME)]] == [None, 0]
    # 3 W move the index once in twenty minutes
    assert set(means(3, 3000)) == {None, 0}


def idle_then(watts: int, seconds: int) -> list[int | None]:
    power = MeanPower()
    return [power.take(int(max(0, n - 900) * watts / 3600), None, float(n)) for n in range(900 + seconds)]


def test_a_load_after_a_long_idle_time_is_seen_at_once() -> None:
    told = idle_then(3600, 90)[900:]  # 1 Wh a second
    assert [told[n] for n in (0, 10, 30, 60, 80)] == [0, 540, 1740, 3540, 3600]  # the first Wh shows when it is full


def test_a_load_that_ends_is_forgotten_within_the_window() -> None:
    power = MeanPower()
    told = [power.take(min(n, 300), None, float(n)) for n in range(400)]  # 3600 W, then nothing
    assert [told[n] for n in (299, 330, 360, 399)] == [3600, 1860, 60, 0]  # the last Wh may be nearly whole


def test_from_drawing_to_injecting() -> None:
    power = MeanPower()
    told = [power.take(min(n, 100), max(0, n - 100), float(n)) for n in range(200)]
    assert [told[n] for n in (100, 130, 199)] == [3600, 0, -3600]


@pytest.mark.parametrize(
    "jump",
    [
        (0, 0),  # the register was replaced
        (1_000_000, 0),
        (200, 700_000),  # a contract of a producer begins
    ],
)
def test_an_index_that_cannot_have_come_so_far_starts_anew(jump: tuple[int, int]) -> None:
    power = MeanPower()
    for n in range(100):
        told = power.take(100 + n, 50, float(n))
    assert told == 3600
    assert power.take(*jump, 100.0) is None
    assert power.take(jump[0] + 1, jump[1], 101.0) is None


def test_after_a_silence_it_starts_anew() -> None:
    power = MeanPower()
    for n in range(100):
        power.take(n, None, float(n))
    assert power.take(129, None, 129.0) == pytest.approx(3600, abs=100)
    assert power.take(190, None, 160.0) is None


def test_a_frame_that_lost_an_index_says_nothing_new() -> None:
    power = MeanPower()
    for n in range(100):
        power.take(n, 0, float(n))
    lost = [power.take(None, 0, 100.0), power.take(101, None, 101.0)]
    assert lost == [3600, 3600]
    # for ever, it is not known
    assert power.take(None, 0, 130.0) is None
    # an index that is no longer sent at all is not waited for
    assert power.take(130, None, 130.0) is None


def test_without_an_index_it_does_not_watch() -> None:
    power = MeanPower()
    assert (power.take(None, None, 0.0), power.is_watching) == (None, False)
    power.take(1, None, 1.0)
    assert power.is_watching


def test_two_frames_in_one_piece_are_one_moment() -> None:
    power = MeanPower()
    told = [power.take(n, None, float(n // 2 * 2)) for n in range(200)]
    assert last(told) == pytest.approx(3600, abs=100)


def test_memory_stays_bounded() -> None:
    power = MeanPower()
    for n in range(10_000):
        power.take(n, None, float(n))
    assert len(power._moves) <= 62


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.integers(0, 3)), max_size=200))
def test_no_sequence_of_indexes_gives_more_than_a_minute_can_hold(steps: list[tuple[int, int, int]]) -> None:
    power, now, drawn, injected = MeanPower(), 0.0, 0, 0
    for seconds, more, less in steps:
        now, drawn, injected = now + seconds, drawn + more, injected + less
        told = power.take(drawn, injected, now)
        assert told is None or abs(told) <= 3 * 60 * 62


def test_jitter_of_the_line_does_little() -> None:
    rng, power, now = random.Random(1), MeanPower(), 0.0
    for _ in range(600):
        now += rng.uniform(0.8, 1.4)
        told = power.take(int(2000 * now / 3600), None, now + rng.uniform(0, 0.2))
    assert told == pytest.approx(2000, abs=100)


# --- mode historique -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reading", "total"),
    [
        (Historique(), None),
        (Historique(base=5), 5),
        (Historique(hchc=1, hchp=2), 3),
        (Historique(ejphn=1, ejphpm=2), 3),
        (Historique(bbrhcjb=1, bbrhpjb=2, bbrhcjw=3, bbrhpjw=4, bbrhcjr=5, bbrhpjr=6), 21),
        (Historique(hchc=1), None),  # the other one was damaged
        (Historique(hchp=2), None),
        (Historique(bbrhcjb=1, bbrhpjb=2, bbrhcjw=3, bbrhpjw=4, bbrhcjr=5), None),
    ],
)
def test_the_total_is_the_sum_of_the_contracts_indexes(reading: Historique, total: int | None) -> None:
    assert drawn_total(reading) == total
