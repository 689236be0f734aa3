"""How well the line works, over the last minute of frames."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import Final

from bridge.checked import Checked
from bridge.tic.errors import Reason
from bridge.tic.models import Reading
from bridge.tic.values import Value

_SHORTEST: Final = 0.5  # s: the shortest frame there is, a short one of three phases, takes 0.65
_NO_LABELS: Final = ("complete", "extra", "stamps")  # what a reading holds beside the values of labels


class LineQuality:
    """Of one line, whichever meter speaks on it, noise included."""

    def __init__(self, window: float = 60.0) -> None:
        self._window = window
        self._frames: deque[tuple[float, int, int]] = deque()  # (monotonic seconds, accepted, refused)
        self._accepted = 0  # groups of all of them
        self._refused = 0

    def add(self, frame: Checked) -> None:
        """Count a frame, and forget those that are too old to count."""
        accepted = _groups(frame.decoded.reading)
        # What waits for a second sight is no damage of the line.
        refused = sum(group.reason is not Reason.UNCONFIRMED for group in frame.decoded.refused)
        self._frames.append((frame.at.monotonic, accepted, refused))
        self._accepted += accepted
        self._refused += refused
        self._forget(frame.at.monotonic)

    def values(self, now: float) -> Iterator[tuple[str, Value]]:
        """Share of groups accepted (%), and frames a minute."""
        self._forget(now)
        total = self._accepted + self._refused
        if total:
            yield "link_quality", round(100 * self._accepted / total)
        if self._frames:
            first = self._frames[0][0]
            span = self._frames[-1][0] - first
            if span >= _SHORTEST:
                # What was kept back while the speed was looked for came all at once: no fast line.
                together = sum(1 for _ in takewhile(lambda frame: frame[0] == first, self._frames))
                yield "frames_per_minute", round((len(self._frames) - together) * 60 / span)

    def _forget(self, now: float) -> None:
        while self._frames and now - self._frames[0][0] > self._window:
            _, accepted, refused = self._frames.popleft()
            self._accepted -= accepted
            self._refused -= refused


def _groups(reading: Reading | None) -> int:
    """How many groups a reading was made of."""
    if reading is None:
        return 0
    sent = reading.model_fields_set
    return len(sent) - sum(name in sent for name in _NO_LABELS) + len(reading.extra)
