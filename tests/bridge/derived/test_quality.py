"""How well the line works."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from bridge.checked import Checked, Moment
from bridge.derived.quality import LineQuality
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Historique, Standard
from bridge.tic.values import Value
from tests.bridge.wire import METER


def heard(at: float, accepted: int, refused: int) -> Checked:
    labels = ("sinsts", "east", "pref", "pcoup", "irms1", "urms1", "ntarf", "njourf")[:accepted]
    # as the decoder makes it: these three are always there, and no label
    always = {"stamps": {}, "extra": {}, "complete": True}
    reading = Standard.model_validate({**dict.fromkeys(labels, 1), **always}) if accepted else None
    damage = tuple(Refused("", str(n), Reason.CHECKSUM) for n in range(refused))
    return Checked(Decoded(reading, damage), METER, Moment(datetime(2026, 1, 15, tzinfo=UTC), at))


def quality(*frames: Checked, now: float) -> dict[str, Value]:
    line = LineQuality()
    for frame in frames:
        line.add(frame)
    return dict(line.values(now))


def test_before_the_first_frame_nothing_is_known() -> None:
    assert quality(now=0) == {}


def test_quality_is_the_share_of_groups_that_were_accepted() -> None:
    assert quality(heard(0, 7, 3), now=1) == {"link_quality": 70}
    assert quality(heard(0, 0, 3), now=1) == {"link_quality": 0}


def test_unknown_labels_that_are_handed_on_were_accepted_too() -> None:
    frame = Checked(Decoded(Historique(papp=1, extra={"GAZ": "1"})), METER, heard(0, 1, 0).at)
    damaged = heard(0, 0, 2)
    assert quality(frame, damaged, now=1) == {"link_quality": 50}


def test_what_waits_to_be_confirmed_is_no_damage() -> None:
    waiting = Refused("EAST", "000000001", Reason.UNCONFIRMED)
    frame = heard(0, 4, 0)
    frame = frame._replace(decoded=frame.decoded._replace(refused=(waiting,)))
    assert quality(frame, now=1) == {"link_quality": 100}


def test_frames_a_minute_need_two_frames_at_different_times() -> None:
    assert quality(heard(0, 1, 0), heard(0, 1, 0), now=1) == {"link_quality": 100}
    assert quality(*(heard(n * 1.5, 1, 0) for n in range(5)), now=6) == {"link_quality": 100, "frames_per_minute": 40}


def test_frames_that_come_at_once_are_no_fast_line() -> None:
    burst = [heard(0.0, 1, 0) for _ in range(4)]
    assert quality(*burst, heard(0.2, 1, 0), now=0.2) == {"link_quality": 100}
    assert quality(*burst, heard(1.0, 1, 0), now=1) == {"link_quality": 100, "frames_per_minute": 60}


def test_only_the_last_minute_counts() -> None:
    assert quality(heard(0, 0, 5), heard(61, 5, 0), heard(62, 5, 0), now=62) == {
        "link_quality": 100,
        "frames_per_minute": 60,
    }
    assert quality(heard(0, 5, 0), now=61) == {}


def test_a_line_of_noise_alone_is_not_remembered_for_ever() -> None:
    line = LineQuality()
    for n in range(1000):
        line.add(heard(float(n), 0, 1))
    assert len(line._frames) == 61  # nobody asked for values meanwhile


@example([(0.0, 1, 0), (5e-324, 1, 0)])  # no clock is that fine, and a rate of it no number
@given(st.lists(st.tuples(st.floats(0, 50), st.integers(0, 8), st.integers(0, 3)), max_size=30))
def test_what_is_forgotten_leaves_no_trace(steps: list[tuple[float, int, int]]) -> None:
    now, frames = 0.0, []
    for seconds, accepted, refused in steps:
        now += seconds
        frames.append(heard(now, accepted, refused))
    assert quality(*frames, now=now) == quality(*(f for f in frames if now - f.at.monotonic <= 60), now=now)
