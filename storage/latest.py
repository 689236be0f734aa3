"""Between two readings that are far apart: what the fields of a meter say meanwhile, put into its last reading."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple

from bridge.envelope import Envelope
from bridge.mqtt import Received
from bridge.tic.catalogue import BY_SLUG
from bridge.topics import UNKNOWN, Topics, write_ts

SELDOM: Final = 5  # s of `reading.interval` beyond which the pages follow the fields
_NUMBERS: Final = (
    "sinsts", "sinsts1", "sinsts2", "sinsts3", "sinst1", "papp", "sinsti", "irms1", "irms2", "irms3", "urms1", "urms2",
    "urms3", "iinst", "iinst1", "iinst2", "iinst3", "breaker_margin", "breaker_seconds_to_trip", "power_used_percent",
)  # fmt: skip
_TEXTS: Final = ("ltarf", "ptec", "tariff_period", "next_tariff_change")
_LONGEST: Final = 64  # bytes of a payload


class Fresh(NamedTuple):
    """A field, newer than the last reading."""

    meter: str
    slug: str
    value: int | str | None


def subscriptions(topics: Topics) -> list[tuple[str, int]]:
    """What is seen at a glance, of every meter."""
    return [(topics.meter("+", slug), 0) for slug in (*_NUMBERS, *_TEXTS)]


def read_field(topics: Topics, received: Received) -> Fresh | None:
    """What a field's message says; None if it is none, or retained: when it was said is then not known."""
    slug = received.topic.rpartition("/")[2]
    meter = topics.meter_of(received.topic)
    if (
        meter is None
        or received.retain
        or received.topic != topics.meter(meter, slug)
        or len(received.payload) > _LONGEST
    ):
        return None
    text = received.payload.decode(errors="replace")
    if text == UNKNOWN and slug in (*_NUMBERS, *_TEXTS):
        return Fresh(meter, slug, None)
    if slug in _TEXTS:
        return Fresh(meter, slug, text)
    is_number = text.isascii() and text.removeprefix("-").isdigit() and len(text) < 10
    return Fresh(meter, slug, int(text)) if slug in _NUMBERS and is_number else None


def with_field(envelope: Envelope, fresh: Fresh, now: datetime) -> Envelope:
    """The reading as it were if it had been sent with this field, now."""
    name = "values" if BY_SLUG[fresh.slug].label is not None else "derived"
    changed = {**getattr(envelope, name), fresh.slug: fresh.value}
    return envelope.model_copy(update={name: changed, "ts": write_ts(now)})
