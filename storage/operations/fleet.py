"""What bridges and stores say of themselves on the broker, newest word of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.topics import MAX_PAYLOAD, OFFLINE, ONLINE, Topics, is_level

FLEET: Final = "ticbridge.fleet"  # where an ASGI scope carries it
MAX_NAMES: Final = 1000  # whoever may publish could otherwise invent bridges until memory ends
_WORDS: Final = {ONLINE.encode(): True, OFFLINE.encode(): False}

_Count = Annotated[int, Field(ge=0, lt=2**63)]
_Short = Annotated[str, Field(max_length=64)]
_Line = Annotated[str, Field(max_length=1000)]


class _Said(BaseModel):
    """A later bridge may say more: what is not known here is left out."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class MeterCounts(_Said):
    """What a bridge counted of one meter since it started."""

    meter: _Short | None = None  # None: the meter did not say its number yet
    source: _Line = ""  # as the bridge's configuration names it
    source_open: bool
    trouble: _Line = ""  # why it is not read or not understood; in English
    cause: _Short = ""  # what was found out about the line then, in a word
    frames: _Count
    decoded: _Count
    accepted: _Count
    unspooled: _Count = 0
    refused: Annotated[dict[_Short, _Count], Field(max_length=100)] = {}  # groups, by reason
    online: bool = False
    link_quality: Annotated[int, Field(ge=0, le=100)] | None = None
    clock: _Short = ""  # by which the last reading was dated: host, meter or unsure


class SpoolCounts(_Said):
    """What a bridge holds for the store."""

    depth: _Count
    dropped: _Count
    unspooled: _Count = 0
    trouble: str = ""  # why it cannot be written


class BridgeInfo(_Said):
    """`linky/bridge/<bridge>/info`."""

    version: _Short
    started: _Short
    meters: Annotated[list[MeterCounts], Field(max_length=1000)]
    spool: SpoolCounts
    birth: _Short | None = None  # when it last heard that Home Assistant is there


@dataclass(frozen=True, slots=True)
class Bridge:
    """What is known of a bridge."""

    online: bool | None = None
    info: BridgeInfo | None = None


class Fleet:
    """Everybody who was heard. Filled on the broker's thread; readers get snapshots of what never changes."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._bridges: dict[str, Bridge] = {}
        self._stores: dict[str, bool] = {}
        self.connected: bool | None = None  # to the broker; None: it was not tried yet

    @property
    def subscriptions(self) -> list[tuple[str, int]]:
        """What to ask the broker for."""
        topics = self._topics
        return [(topics.bridge("+", "info"), 0), (topics.bridge("+", "status"), 0), (topics.store("+", "status"), 0)]

    def bridges(self) -> dict[str, Bridge]:
        """By their names."""
        return dict(self._bridges)

    def stores(self) -> dict[str, bool]:
        """Whether each is there, by their names."""
        return dict(self._stores)

    def hear(self, topic: str, payload: bytes) -> bool:
        """A message; whether it was one of a bridge or a store, understood or not."""
        _base, _kind, name, leaf = [*topic.split("/", 3), "", "", ""][:4]
        if not is_level(name):
            return False
        if topic == self._topics.bridge(name, leaf) and leaf in ("info", "status"):
            self._hear_bridge(name, leaf, payload)
            return True
        if topic == self._topics.store(name, "status"):
            if payload in _WORDS and (name in self._stores or len(self._stores) < MAX_NAMES):
                self._stores[name] = _WORDS[payload]
            return True
        return False

    def _hear_bridge(self, name: str, leaf: str, payload: bytes) -> None:
        known = self._bridges.get(name, Bridge())
        if name not in self._bridges and len(self._bridges) >= MAX_NAMES:
            return
        if leaf == "status":
            if payload in _WORDS:
                self._bridges[name] = replace(known, online=_WORDS[payload])
        elif not payload:  # somebody cleared what was retained
            self._bridges[name] = replace(known, info=None)
        elif len(payload) <= MAX_PAYLOAD:
            try:
                info = BridgeInfo.model_validate_json(payload)
            except ValidationError:
                return
            self._bridges[name] = replace(known, info=info)
