"""What to publish when: on change, not more often than `min_interval` (a jump may), again after `heartbeat`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Rule:
    """When one field is published. Seconds; `jump` in the field's unit, None for "no jump is big enough"."""

    min_interval: float = 5.0
    heartbeat: float = 300.0
    jump: float | None = None


class _Sent(NamedTuple):
    text: str
    number: float | None
    at: float


@dataclass(slots=True)
class Policy:
    """Remembers what was published for one meter. `now` is monotonic, in seconds."""

    default: Rule = field(default_factory=Rule)
    rules: Mapping[str, Rule] = field(default_factory=dict)  # by canonical slug
    _sent: dict[str, _Sent] = field(default_factory=dict)
    _rule_of: dict[str, Rule] = field(default_factory=dict)
    _waiting: dict[str, tuple[str, float | None]] = field(default_factory=dict)
    _next_beat: float = 0.0

    def offer(self, topic: str, canonical: str, text: str, number: float | None, now: float) -> bool:
        """Whether `text` is to be published on `topic` now; if not, it waits for its turn in `due`."""
        rule = self._rule_of.setdefault(topic, self.rules.get(canonical, self.default))
        last = self._sent.get(topic)
        if last is not None:
            if last.text == text:
                self._waiting.pop(topic, None)
                return False
            if now - last.at < rule.min_interval and not _jumps(rule, last.number, number):
                self._waiting[topic] = (text, number)
                return False
        self._publish(topic, text, number, now)
        return True

    def due(self, now: float) -> Iterator[tuple[str, str]]:
        """(topic, text) of what waited long enough, and of what was silent for its heartbeat."""
        for topic, (text, number) in list(self._waiting.items()):
            if now - self._sent[topic].at >= self._rule_of[topic].min_interval:
                self._publish(topic, text, number, now)
                yield topic, text
        if now >= self._next_beat:
            self._next_beat = now + 10
            for topic, last in list(self._sent.items()):
                if now - last.at >= self._rule_of[topic].heartbeat:
                    self._publish(topic, last.text, last.number, now)
                    yield topic, last.text

    def everything(self, now: float) -> Iterator[tuple[str, str]]:
        """(topic, newest text) of every field: for a broker or a subscriber that lost them."""
        for topic, last in list(self._sent.items()):
            text, number = self._waiting.get(topic, (last.text, last.number))
            self._publish(topic, text, number, now)
            yield topic, text

    def waiting(self) -> Iterator[tuple[str, str]]:
        """(topic, text) of what was not published yet."""
        for topic, (text, _) in self._waiting.items():
            yield topic, text

    def _publish(self, topic: str, text: str, number: float | None, now: float) -> None:
        self._waiting.pop(topic, None)
        self._sent[topic] = _Sent(text, number, now)


def _jumps(rule: Rule, before: float | None, after: float | None) -> bool:
    return rule.jump is not None and before is not None and after is not None and abs(after - before) >= rule.jump
