"""A recorded file: its frames, and when they were sent.

A file that is read today was not recorded today. In mode standard the meter dates each frame (DATE), and that is what
counts. A frame without a date, or with one that the meter doubts, follows the last good one by the time that frames
take on the line. Mode historique tells no time at all: its owner must say when the recording begins.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bridge.config import MeterSettings
from bridge.guard import Checked, Moment
from bridge.line import Line
from bridge.source import FileSource, SourceEnded, SourceError

_NAMES: Final = uuid.UUID("8c1d1a1e-6c0c-4f62-9d0b-6a3c7f1f2b54")  # of files, as epochs
_SECOND: Final = timedelta(seconds=1)
_PLACES: Final = ("auto", "-")
_URLS: Final = ("/dev/", "sim:", "socket://", "rfc2217://")


def is_recording(source: str) -> bool:
    """Whether a SOURCE names a file, and not a line that speaks now."""
    return source not in _PLACES and not source.startswith(_URLS)


def epoch_of(path: Path) -> str:
    """The epoch of a file's readings: of the same content always the same, so that none is stored twice."""
    try:
        with path.open("rb") as file:
            return str(uuid.uuid5(_NAMES, hashlib.file_digest(file, "sha256").hexdigest()))
    except IsADirectoryError:
        raise SourceError(f"{path} is a folder: name a file in it") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read ({error.strerror}): is the name right?") from None


def recorded_frames(path: Path, settings: MeterSettings) -> Iterator[Checked]:
    """The frames of a file. Nothing is known from elsewhere, and so they are the same each time."""
    line = Line(settings.tic_mode, settings.id, settings.zone)
    source = FileSource(str(path))
    now = Moment(datetime.now(UTC), 0.0)  # the guard counts the seconds that frames take
    try:
        while True:
            yield from line.feed(source.read(), now)
    except SourceEnded:
        yield from line.flush()
    finally:
        source.close()


class Dater:
    """Says when the frames of a recording were sent, in order."""

    def __init__(self, start: datetime | None = None) -> None:
        self._start = start
        self._at: datetime | None = None  # of the last frame that was dated
        self._clock = 0.0
        self._stamp: datetime | None = None

    def date(self, frame: Checked) -> Checked | None:
        """The frame at its own time; None when that cannot be told."""
        reading = frame.decoded.reading
        stamp = reading.stamps.get("date") if reading is not None else None
        if self._at is None and self._start is not None:
            self._at, self._clock = self._start.astimezone(UTC), frame.clock
        if stamp is not None and not stamp.degraded and stamp.at != self._stamp:
            self._at, self._clock, self._stamp = stamp.at.astimezone(UTC), frame.clock, stamp.at
        if self._at is None:
            return None
        at = self._at + timedelta(seconds=frame.clock - self._clock)
        if stamp is not None and stamp.at == self._stamp:  # frames of one second follow each other in it
            at = min(at, self._at + _SECOND - timedelta(milliseconds=1))
        return frame._replace(at=Moment(at, at.timestamp()))
