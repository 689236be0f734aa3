"""A recorded file: when its frames were sent, and that it is the same each time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.config import MeterSettings
from bridge.guard import Checked, Moment
from bridge.recording import Dater, epoch_of, is_recording, recorded_frames
from bridge.source import SourceError
from bridge.tic.catalogue import BAUD, Mode
from bridge.tic.decode import Decoder
from tests.bridge.wire import HISTORIQUE_FRAME, METER, STANDARD_FRAME, frame, standard

NOW = Moment(datetime(2026, 11, 28, 12, tzinfo=UTC), 5.0)
START = datetime(2026, 1, 15, 18, tzinfo=UTC)


def dated(stamp: str | None, clock: float) -> Checked:
    """A frame of mode standard that ended `clock` seconds of the line after the first one began."""
    groups = [standard("ADSC", METER), standard("EAST", "000000100")]
    if stamp is not None:
        groups.append(standard("DATE", stamp, ""))
    return Checked(Decoder().decode(frame(*groups)), METER, NOW, (), clock)


def seconds(dater: Dater, *frames: Checked) -> list[float | None]:
    """When each was sent, counted from noon of 1 July 2026, UTC."""
    noon = datetime(2026, 7, 1, 12, tzinfo=UTC)
    return [
        None if (one := dater.date(each)) is None else round((one.at.utc - noon).total_seconds(), 3) for each in frames
    ]


def test_a_frame_is_of_its_own_date() -> None:
    one = Dater().date(dated("E260701140000", 1.0))
    assert one is not None
    assert one.at == Moment(datetime(2026, 7, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC).timestamp())
    assert one.at.utc.tzinfo is UTC


def test_frames_of_one_second_follow_each_other_in_it() -> None:
    frames = [dated("E260701140000", clock) for clock in (1.0, 1.4, 1.8, 2.2)]
    assert seconds(Dater(), *frames, dated("E260701140001", 2.6)) == [0.0, 0.4, 0.8, 0.999, 1.0]


def test_what_is_not_dated_follows_the_last_date_at_the_pace_of_the_line() -> None:
    frames = [dated("E260701140000", 1.0), dated(None, 2.1), dated("e260701140130", 3.2), dated("E260701140010", 4.3)]
    assert seconds(Dater(), *frames) == [0.0, 1.1, 2.2, 10.0]


def test_before_the_first_date_nothing_can_be_told() -> None:
    assert seconds(Dater(), dated(None, 1.0), dated("e260701140000", 2.0), dated("E260701140001", 3.0)) == [
        None, None, 1.0,
    ]  # fmt: skip


def test_the_owner_may_say_when_it_begins_and_a_date_counts_more() -> None:
    begins = datetime(2026, 7, 1, 12, 1, tzinfo=UTC)
    assert seconds(Dater(begins), dated(None, 5.0), dated(None, 6.5), dated("E260701140000", 8.0)) == [60.0, 61.5, 0.0]


def test_both_hours_of_october_are_told_apart() -> None:
    first, second = Dater().date(dated("E261025023000", 1.0)), Dater().date(dated("H261025023000", 1.0))
    assert first is not None
    assert second is not None
    assert second.at.utc - first.at.utc == timedelta(hours=1)


def test_a_historique_file_runs_at_the_pace_of_its_line(tmp_path: Path) -> None:
    path = tmp_path / "hist.tic"
    path.write_bytes(HISTORIQUE_FRAME * 3)
    dater, pace = Dater(START), len(HISTORIQUE_FRAME) * 10 / BAUD[Mode.HISTORIQUE]
    moments = [dater.date(each) for each in recorded_frames(path, MeterSettings(source=str(path)))]
    assert [round((one.at.utc - START).total_seconds(), 3) for one in moments if one] == [
        round(n * pace, 3) for n in range(3)
    ]


def test_a_file_says_the_same_each_time(tmp_path: Path) -> None:
    path, copy, other = tmp_path / "a.tic", tmp_path / "copy.tic", tmp_path / "other.tic"
    for each in (path, copy):
        each.write_bytes(STANDARD_FRAME * 3)
    other.write_bytes(STANDARD_FRAME * 4)
    assert epoch_of(path) == epoch_of(copy) != epoch_of(other)
    assert [one.decoded for one in recorded_frames(path, MeterSettings())] == [
        one.decoded for one in recorded_frames(copy, MeterSettings())
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nowhere.tic", "nowhere.tic cannot be read (No such file or directory): is the name right?"),
        (".", ". is a folder: name a file in it"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(
    name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as caught:
        epoch_of(Path(name))
    assert str(caught.value) == said


def test_what_speaks_now_is_no_recording() -> None:
    sources = ("auto", "-", "/dev/ttyUSB0", "sim:tempo", "socket://host:1", "rfc2217://host:1", "a.tic", "/tmp/a.tic")
    assert [source for source in sources if is_recording(source)] == ["a.tic", "/tmp/a.tic"]
