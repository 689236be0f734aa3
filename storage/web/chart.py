"""The last minutes of power as a chart: for uPlot, for a sentence and for a table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import pairwise
from statistics import median
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext

from storage.models import Meter
from storage.queries import Curve, Point, curve
from storage.web.shown import UNKNOWN, amount, clock

POINTS: Final = 900  # as many as a wide screen shows apart
ROWS: Final = 12  # of the table
_SILENCE: Final = 10.0  # seconds without a reading that are a gap on the page, as they are in its pill


class Slice(NamedTuple):
    """One line of the table under the chart."""

    time: str
    low: str
    mean: str
    high: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Power between two instants."""

    start: datetime
    end: datetime
    zone: tzinfo
    curve: Curve
    delay: float  # seconds that the store may take to write what it received

    @property
    def patience(self) -> float:
        """Seconds between two points from which on they are not joined: some meters are stored more rarely."""
        points = self.curve.points
        steps = [after.at - before.at for before, after in pairwise(points)]
        return max(_SILENCE, 2 * self.curve.step, 3 * median(steps)) if steps else _SILENCE

    def gaps(self) -> list[tuple[int, int]]:
        """Where nothing is known, in seconds since 1970."""
        patience = self.patience
        edges = [int(self.start.timestamp()), *(p.at for p in self.curve.points), int(self.end.timestamp())]
        gaps = [(a, b) for a, b in pairwise(edges) if b - a > patience]
        # The newest readings may not be stored yet: the end is no gap before that is certain.
        return [(a, b) for a, b in gaps if b != edges[-1] or b - a > self.delay + patience]

    def summary(self) -> str:
        """The chart in a sentence."""
        if not self.curve.points:
            return gettext("No reading is stored for this time.")
        highest = max(self.curve.points, key=lambda point: point.high)
        lowest = min(point.low for point in self.curve.points)
        return gettext("Between {low} and {high} (at {time}), {mean} on average.").format(
            low=amount(lowest, "VA"),
            high=amount(highest.high, "VA"),
            time=clock(datetime.fromtimestamp(highest.at, UTC), self.zone),
            mean=amount(_mean(self.curve.points), "VA", 0),
        )

    def table(self) -> list[Slice]:
        """The chart in a few lines, newest first."""
        width = (self.end - self.start) / ROWS
        starts = [self.start + n * width for n in range(ROWS)]
        return [_slice(start, start + width, self.curve.points, self.zone) for start in reversed(starts)]

    def as_json(self) -> dict[str, Any]:
        """For the script: columns, and a point without value wherever a line must break."""
        points = list(_broken(self.curve.points, self.patience))
        return {
            "start": int(self.start.timestamp()),
            "end": int(self.end.timestamp()),
            "patience": self.patience,
            "t": [at for at, _ in points],
            "low": [point and point.low for _, point in points],
            "mean": [point and round(point.mean, 1) for _, point in points],
            "high": [point and point.high for _, point in points],
            "gaps": self.gaps(),
            "summary": self.summary(),
            "table": self.table(),
        }


def chart(meter: Meter | None, zone: tzinfo, end: datetime, minutes: float, delay: float) -> Chart:
    """Ask the database; a meter that it does not know has an empty chart."""
    start = end - timedelta(minutes=minutes)
    found = curve(meter, start, end, POINTS) if meter else Curve(1, ())
    return Chart(start, end, zone, found, delay)


def _broken(points: Sequence[Point], patience: float) -> Iterable[tuple[int, Point | None]]:
    before: Point | None = None
    for point in points:
        if before is not None and point.at - before.at > patience:
            yield before.at + 1, None
        yield point.at, point
        before = point


def _slice(start: datetime, end: datetime, points: Iterable[Point], zone: tzinfo) -> Slice:
    own = [point for point in points if start.timestamp() <= point.at < end.timestamp()]
    if not own:
        return Slice(clock(start, zone), UNKNOWN, UNKNOWN, UNKNOWN)
    return Slice(
        clock(start, zone),
        amount(min(point.low for point in own), "VA"),
        amount(_mean(own), "VA", 0),
        amount(max(point.high for point in own), "VA"),
    )


def _mean(points: Sequence[Point]) -> float:
    """Of the readings' means: slices are of one width, so each counts the same."""
    return sum(point.mean for point in points) / len(points)
