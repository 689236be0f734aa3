"""A frame on its way through the guard: what was decoded, whose it is, when it came, and what it made happen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from bridge.tic.catalogue import BY_SLUG
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.values import Value, write_value


class Moment(NamedTuple):
    """When a frame was received: the host's clock (UTC), and one that never steps (seconds)."""

    utc: datetime
    monotonic: float

    @classmethod
    def never(cls) -> Moment:
        """Before anything was received."""
        return cls(datetime.min.replace(tzinfo=UTC), 0.0)


class Event(NamedTuple):
    """Something that happened once, with this frame: `kind` is a word of the topic `event`."""

    kind: str
    attributes: dict[str, int | str]


class Checked(NamedTuple):
    """A frame that passed the guard. `meter` is None as long as no address is confirmed.

    `clock` counts seconds no slower than the line sends frames: for what the meter may have counted meanwhile.
    """

    decoded: Decoded
    meter: str | None
    at: Moment
    events: tuple[Event, ...] = ()
    clock: float = 0.0

    def without(self, refused: Mapping[str, Reason]) -> Checked:
        """The frame with these slugs taken out of its reading, each for its reason."""
        reading = self.decoded.reading
        assert reading is not None, "only a reading has labels to take out"
        # In the table's order: what decides comes from sets, whose order differs from run to run.
        reasons = [_refusal(slug, value, refused[slug]) for slug, value in reading.values() if slug in refused]
        decoded = self.decoded._replace(
            reading=reading.without(*refused),
            refused=(*self.decoded.refused, *reasons),
            changed=self.decoded.changed - refused.keys(),
        )
        return self._replace(decoded=decoded)

    def refused_whole(self, reason: Reason) -> Checked:
        """The frame with nothing let through: whose it is cannot be told."""
        reading = self.decoded.reading
        assert reading is not None, "only a reading can be refused"
        slug, address = reading.address
        refused = (*self.decoded.refused, Refused(slug.upper(), address or "", reason))
        return self._replace(decoded=self.decoded._replace(reading=None, refused=refused, changed=frozenset()))


def _refusal(slug: str, value: Value, reason: Reason) -> Refused:
    row = BY_SLUG[slug]
    return Refused(row.label or slug, write_value(row, value), reason)
