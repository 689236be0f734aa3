"""What this bridge tells Home Assistant, and remembers on disk to have told: a restart announces all of it at once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import TypeAdapter

from bridge import __version__
from bridge.config import ConfigError, EntitySettings, Settings
from bridge.memory import StateFile
from bridge.meter import Announcement, Known
from bridge.tic.models import Standard
from bridge.topics import Message, Topics
from homeassistant.discovery import (
    MeterFacts,
    Setting,
    bridge_message,
    bridge_topic,
    meter_message,
    mistakes,
    teller,
    topic,
)
from homeassistant.migration import Migration, around

_MOST: Final = 2000  # discovery topics remembered; twice the meters that a configuration may hold


@dataclass(frozen=True, slots=True)
class Told:
    """What stands on a discovery topic of ours."""

    status: str  # the topic of the bridge that told it, as its id was then
    facts: MeterFacts | None = None  # None: the bridge itself


class Announcer:
    """One for a bridge; its readers' threads and the main one share it."""

    def __init__(self, settings: Settings) -> None:
        topics = Topics(settings.mqtt.base_topic)
        self._is_enabled = settings.homeassistant.enabled
        self._status = topics.bridge(settings.bridge.id, "status")
        self._setting = Setting(
            topics=topics,
            bridge_id=settings.bridge.id,
            version=__version__,
            prefix=settings.homeassistant.discovery_prefix,
            language=settings.homeassistant.language,
            url=settings.web.base_url,
            overrides={
                key: None if entity is None else _changes(entity)
                for key, entity in settings.homeassistant.overrides.items()
            },
        )
        for key, expected in mistakes(self._setting):
            wanted = self._setting.overrides[key] or {}
            where = f"homeassistant.overrides.{key}.device_class"
            raise ConfigError(f"{where}: {wanted.get('device_class')!r} will not do; expected {expected}")
        pattern = settings.homeassistant.migrate_discovery
        self._migration = None if pattern is None else Migration(pattern)
        self._is_waiting = pattern is not None  # an entity that exists cannot change its unique id
        self._found: set[str] = set()  # topics that hold discovery of ours
        self._file = StateFile(
            settings.bridge.state_dir / "discovery.json",
            TypeAdapter(dict[str, Told]),
            anew="Home Assistant's entities are announced as their labels are seen",
            late="after a restart, Home Assistant's entities are announced as their labels are seen",
        )

    def announce(self, number: int, said: Announcement) -> Iterator[Message]:
        """The discovery of the meter that stands at this place of the configuration."""
        if not self._is_enabled or self._is_waiting:
            return
        reading, adopted, old = said.reading, dict(self._adopted(said.meter)), list[str]()
        if self._migration is not None:
            new = said.slugs - self.recall(said.meter).slugs
            for key, (where, unique_id) in self._migration.of(said.meter, tuple(new)).items():
                adopted[key] = unique_id
                old.append(where)
            self._migration.forget(old)
        facts = MeterFacts(
            meter=said.meter,
            name=said.name,
            mode=reading.mode,
            slugs=tuple(sorted(said.slugs)),
            phases=said.phases,
            address=reading.meter_id,
            tic_version=reading.vtic if isinstance(reading, Standard) else None,
            alias=said.meter[-4:].lower() if number else "",
            adopted=adopted,
            withheld=tuple(sorted(said.withheld)),
        )
        self._remember(topic(self._setting, facts.meter), facts)
        yield from self.bridge()  # first: a parent that Home Assistant does not know gets an empty device
        yield from around(old, iter([meter_message(self._setting, facts)]))

    def settle(self) -> bool:
        """All that the broker retains was heard. True when announcements waited for it: they are due now."""
        waited, self._is_waiting = self._is_waiting, False
        return waited

    def bridge(self) -> Iterator[Message]:
        """The discovery of the bridge itself."""
        if self._is_enabled:
            self._remember(bridge_topic(self._setting))
            yield bridge_message(self._setting)

    @property
    def filters(self) -> list[str]:
        """Where discovery of ours may stand: under the prefix, and where we once put it."""
        if not self._is_enabled:
            return []
        here = f"{self._setting.prefix}/device/+/config"
        return [
            here,
            *([] if self._migration is None else [self._migration.filter]),
            *(where for where in self._file.memory if not where.startswith(f"{self._setting.prefix}/device/")),
        ]

    @property
    def meters(self) -> set[str]:
        """Those that are remembered."""
        return {told.facts.meter for told in self._file.memory.values() if told.facts is not None}

    def everything(self) -> Iterator[Message]:
        """The discovery of the bridge and of all that is remembered, as it is now."""
        yield bridge_message(self._setting)
        for told in list(self._file.memory.values()):
            if told.facts is not None:
                yield meter_message(self._setting, told.facts)

    def forget(self, meters: Collection[str] | None) -> None:
        """Remember nothing of these meters; of nothing at all, for None."""
        for where, told in list(self._file.memory.items()):
            if meters is None or (told.facts is not None and told.facts.meter in meters):
                del self._file.memory[where]
        self._file.save()

    def hear(self, where: str, body: bytes) -> bool:
        """A retained discovery message: is it ours?"""
        if self._migration is not None:
            self._migration.hear(where, body)
        status = teller(body)
        former = self._file.memory.get(where)
        is_ours = status is not None and status in (self._status, former and former.status)
        if is_ours:
            self._found.add(where)
        return is_ours

    def outdated(self, meters: Iterable[str]) -> list[Message]:
        """What clears discovery that this bridge once published and, of all its `meters`, publishes no more."""
        current = {bridge_topic(self._setting), *(topic(self._setting, meter) for meter in meters)}
        for where in self._file.memory.keys() - current:
            del self._file.memory[where]
        outdated, self._found = sorted(self._found - current), set()
        return [Message(where, "", retain=True, qos=1) for where in outdated]

    def recall(self, meter: str) -> Known:
        """What was announced of a meter, before this start too."""
        told = self._facts(meter)
        return Known() if told is None else Known(frozenset((*told.slugs, *told.withheld)), told.phases)

    def save(self) -> None:
        """Write what is remembered; costs nothing when it did not change."""
        self._file.save()

    def _adopted(self, meter: str) -> Mapping[str, str]:
        facts = self._facts(meter)
        return {} if facts is None else facts.adopted

    def _facts(self, meter: str) -> MeterFacts | None:
        all_told = [told.facts for told in self._file.memory.values() if told.facts is not None]
        return next((facts for facts in reversed(all_told) if facts.meter == meter), None)

    def _remember(self, where: str, facts: MeterFacts | None = None) -> None:
        memory = self._file.memory
        memory.pop(where, None)  # the newest stands last
        memory[where] = Told(self._status, facts)
        if len(memory) > _MOST:
            del memory[next(iter(memory))]


def _changes(entity: EntitySettings) -> dict[str, Any]:  # the fields of a component, each of its own type
    changes = entity.model_dump(exclude_none=True)
    if "enabled" in changes:
        changes["enabled_by_default"] = changes.pop("enabled")
    return changes
