"""Which clock tells when a reading was taken."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bridge import BUILT
from bridge.checked import Moment
from bridge.clock import ReadingClock, Told
from bridge.tic.values import Stamp

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAST = BUILT - timedelta(days=1)


def after(seconds: float, start: datetime = NOON) -> datetime:
    return start + timedelta(seconds=seconds)


def stamp(at: datetime, *, degraded: bool = False) -> Stamp:
    return Stamp("H261121130000", at.replace(microsecond=0), degraded)


class Life:
    """Frames, one a second, of a host and a meter whose clocks may be wrong by some seconds."""

    def __init__(self) -> None:
        self.clock = ReadingClock()
        self.now = 0

    def live(self, seconds: int, *, host: float = 0.0, meter: float | None = 0.0, pace: float = 1.0) -> list[Told]:
        told = []
        for _ in range(seconds):
            self.now += 1
            at = Moment(after(self.now + host), 1000.0 + self.now)
            told.append(self.clock.tell(at, None if meter is None else stamp(after(self.now * pace + meter))))
        return told


def words(told: Iterable[Told]) -> dict[str, int]:
    """How many in a row by each clock."""
    counts: dict[str, int] = {}
    for one in told:
        counts[one.clock] = counts.get(one.clock, 0) + 1
    return counts


def true(life: Life, told: list[Told], within: float = 1.0) -> bool:
    """Whether each reading was dated when it was."""
    first = life.now - len(told) + 1
    return all(abs((one.ts - after(n)).total_seconds()) <= within for n, one in enumerate(told, start=first))


def test_two_clocks_that_agree_are_the_hosts() -> None:
    life = Life()
    told = life.live(300, meter=-4)
    assert (words(told), true(life, told, within=0)) == ({"host": 300}, True)


def test_a_host_that_is_wrong_for_a_minute_gives_way_and_comes_back_when_it_was_right_for_one() -> None:
    life = Life()
    wrong = life.live(200, host=-3600)
    assert [one.clock for one in wrong] == ["host"] * 120 + ["meter"] * 80
    assert true(life, wrong[120:])
    right = life.live(100)
    assert [one.clock for one in right] == ["meter"] * 60 + ["host"] * 40
    assert true(life, right)


def test_a_host_that_steps_away_from_a_steady_meter_is_not_believed_for_a_moment() -> None:
    for step in (3600, -3600):
        life = Life()
        life.live(100)
        told = life.live(100, host=step)
        assert (words(told), true(life, told)) == ({"meter": 100}, True)


def test_a_host_that_steps_to_the_meters_time_is_dated_by_the_meter_until_it_lasted() -> None:
    life = Life()
    life.live(200, host=-3600)
    told = life.live(30)
    assert (words(told), true(life, told)) == ({"meter": 30}, True)


def test_a_frame_without_a_date_follows_the_clock_that_was_right() -> None:
    life = Life()
    life.live(100)
    told = life.live(100, host=3600, meter=None)
    assert (words(told), true(life, told)) == ({"meter": 100}, True)


def test_a_meter_that_doubts_its_clock_is_not_asked() -> None:
    clock = ReadingClock()
    told = [clock.tell(Moment(after(n), n), stamp(after(n - 90_000), degraded=True)) for n in range(300)]
    assert words(told) == {"host": 300}


def test_a_recording_that_is_played_faster_is_not_a_clock() -> None:
    life = Life()
    told = life.live(300, meter=-90_000, pace=20.0)
    assert (words(told), true(life, told, within=0)) == ({"host": 300}, True)


def test_a_meter_that_is_set_anew_is_not_believed_for_a_minute() -> None:
    life = Life()
    life.live(100)
    told = life.live(300, meter=-90)
    assert [one.clock for one in told] == ["host"] * 120 + ["meter"] * 180


def test_a_host_from_before_this_program_is_wrong_and_a_meters_date_is_taken_at_once() -> None:
    clock = ReadingClock()
    assert clock.tell(Moment(PAST, 5.0), None) == Told(PAST, "unsure")
    assert clock.tell(Moment(after(1, PAST), 6.0), stamp(NOON)) == Told(NOON, "meter")
    assert clock.tell(Moment(after(2.5, PAST), 7.5), None) == Told(after(1.5), "meter")


def test_two_clocks_from_before_this_program_are_nobodys() -> None:
    clock = ReadingClock()
    told = clock.tell(Moment(PAST, 5.0), stamp(PAST))
    assert told == Told(PAST, "unsure")
