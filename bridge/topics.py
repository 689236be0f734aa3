"""Readings to messages and back: the topic law. `docs/reference/topics.md` is its public contract."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bridge.tic.values import Stamp, Value

LEVEL: Final = r"^[A-Za-z0-9_-]{1,64}$"  # one level of a topic: a meter, a bridge, a store, the base topic
ONLINE: Final = "online"
OFFLINE: Final = "offline"
UNKNOWN: Final = "None"  # what Home Assistant reads as "unknown": the value is not announced now
RESERVED: Final = ("bridge", "store")  # levels that are no meter
ENTITIES: Final = ("connected", "event")  # what Home Assistant shows of a meter beside its fields
MAX_PAYLOAD: Final = 64 * 1024
_MAX_MARK: Final = 1024

_LEVEL = re.compile(LEVEL)


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to the broker."""

    topic: str
    payload: str
    retain: bool = True
    qos: int = 0


class Sink(Protocol):
    """Whatever takes messages. False: the message was not taken, and the caller still owns it."""

    def send(self, message: Message) -> bool: ...


def is_level(text: str) -> bool:
    """Whether `text` can stand as one level of a topic of ours."""
    return _LEVEL.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics under one base topic."""

    base: str = "linky"

    def bridge(self, bridge_id: str, leaf: str) -> str:
        """`linky/bridge/<bridge>/status` and `/info`."""
        return f"{self.base}/bridge/{bridge_id}/{leaf}"

    def store(self, store_id: str, leaf: str) -> str:
        """`linky/store/<store>/status`."""
        return f"{self.base}/store/{store_id}/{leaf}"

    def store_of(self, topic: str) -> str | None:
        """The store whose status a topic of `store()` is, else None."""
        store = topic.removeprefix(f"{self.base}/store/").removesuffix("/status")
        return store if topic == self.store(store, "status") and is_level(store) else None

    def meter(self, meter: str, leaf: str) -> str:
        """`linky/<meter>/<leaf>`: a slug, `status`, `event`, `reading`, `reading/ack`."""
        return f"{self.base}/{meter}/{leaf}"

    def meter_of(self, topic: str) -> str | None:
        """The meter that a topic of `meter()` speaks of, else None."""
        base, _, rest = topic.partition("/")
        meter = rest.partition("/")[0]
        return meter if base == self.base and is_level(meter) and meter not in RESERVED else None


def payload(value: Value) -> str:
    """A value as the plain text of its topic.

    Integers unpadded, facts ON or OFF, instants ISO 8601 with offset, registers in hexadecimal. Never empty: an
    empty retained message would delete the topic.
    """
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "ON" if value else "OFF"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value) or UNKNOWN


def attributes(stamp: Stamp) -> dict[str, Any]:
    """What a dated field says about its value, as Home Assistant attributes."""
    return {"stamp": stamp.at.isoformat(), "degraded": stamp.degraded}


# --- readings and their watermark ----------------------------------------------------------------

Epoch = Annotated[str, Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]


def write_ts(moment: datetime) -> str:
    """An aware UTC instant as the envelope writes it: milliseconds and Z."""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def sent_again(topics: Topics, meter: str, body: str, floor: int, since: int, *, replay: bool) -> Message:
    """The message of a spooled body, as it is sent now."""
    head = f'{{"floor":{floor},"since":{since},"replay":{"true" if replay else "false"},'
    return Message(topics.meter(meter, "reading"), head + body[1:], retain=False, qos=1)


class Watermark(BaseModel):
    """`reading/ack`: every seq of `epoch` up to `seq` is handled in the database."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    epoch: Epoch
    seq: Annotated[int, Field(ge=0, lt=2**53)]
    batch_seconds: Annotated[float, Field(ge=0, le=86_400)]


def watermark_message(topics: Topics, meter: str, mark: Watermark) -> Message:
    """The message by which the store tells a bridge what it may forget."""
    return Message(topics.meter(meter, "reading/ack"), mark.model_dump_json(), retain=True, qos=1)


def read_watermark(topics: Topics, topic: str, body: bytes) -> tuple[str, Watermark] | None:
    """(meter, mark) of a `reading/ack` message; None when it is none."""
    meter = topics.meter_of(topic)
    if meter is None or topic != topics.meter(meter, "reading/ack") or len(body) > _MAX_MARK:
        return None
    try:
        return meter, Watermark.model_validate_json(body)
    except ValueError:
        return None
