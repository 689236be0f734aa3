"""How the parts of a check run: side by side, each for a bounded time, and told in their order as they end."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Final, NamedTuple

from ticbridge.commands.check.finding import Finding, Words, failed
from ticbridge.commands.check.scene import Scene

log = logging.getLogger("ticbridge.check")

LONGEST: Final = 21.0  # seconds for everything, whatever is broken; a start and an end on a busy machine come to it

SLOW = failed(
    "slow",
    Words(
        "This part gave no answer within {seconds:.0f} s",
        "something that it asks hangs: a disk, a name server, a device",
        "run it again; on a slow machine with --patience 4; if it stays so, look at `dmesg` and at the network",
    ),
    Words(
        "Cette partie n'a pas répondu en {seconds:.0f} s",
        "ce qu'elle interroge ne répond plus : un disque, un serveur de noms, un périphérique",
        "relancez ; sur une machine lente, avec --patience 4 ; si cela persiste, voyez `dmesg` et le réseau",
    ),
)
BROKEN = failed(
    "broken",
    Words("This part could not be looked at ({why})", "a mistake of ours", "please report it, with this sentence"),
    Words(
        "Cette partie n'a pas pu être examinée ({why})", "une erreur de notre part", "signalez-la, avec cette phrase"
    ),
)


class Part(NamedTuple):
    """One part of a check: its name in both languages, who looks at it, for how long at most, and after which others.

    What a part leaves in the scene is there for those that come after it.
    """

    name: str
    fr: str
    look: Callable[[Scene], Iterable[Finding]]
    seconds: float
    after: tuple[str, ...] = ()


class Found(NamedTuple):
    """A finding, and the part that it belongs to."""

    part: Part
    finding: Finding


def run(parts: Iterable[Part], scene: Scene, patience: float = 1.0, longest: float = LONGEST) -> Iterator[Found]:
    """Look at all parts and tell what is found, in their order. `patience`: times as long for each, and for all."""
    end = monotonic() + longest * patience
    looks: dict[str, _Look] = {}
    for part in parts:
        looks[part.name] = _Look(part, scene, part.seconds * patience, end, [looks[name] for name in part.after])
    for look in looks.values():
        look.start()
    for look in looks.values():
        yield from (Found(look.part, finding) for finding in look.findings())


class _Look(threading.Thread):
    """A look at a part. It has a thread of its own: what hangs in the kernel cannot be ended, only left behind."""

    def __init__(self, part: Part, scene: Scene, seconds: float, end: float, before: Sequence[_Look]) -> None:
        super().__init__(name=f"check {part.name}", daemon=True)
        self.part = part
        self._scene = scene
        self._seconds, self._until = seconds, end
        self._before = before
        self._found: list[Finding] = []
        self._began = threading.Event()

    def run(self) -> None:
        for look in self._before:
            look.ended()
        self._until = min(self._until, monotonic() + self._seconds)
        self._began.set()
        try:
            for finding in self.part.look(self._scene):
                self._found.append(finding)
        except Exception as error:
            log.debug("The part %s failed", self.part.name, exc_info=True)
            self._found.append(BROKEN(why=f"{type(error).__name__}: {error}"))

    def ended(self) -> bool:
        """Wait until it is over, for as long as it may take; whether it is."""
        self._began.wait()
        self.join(max(0.0, self._until - monotonic()))
        return not self.is_alive()

    def findings(self) -> list[Finding]:
        """Wait for what it finds."""
        if self.ended():
            return self._found
        return [*self._found, SLOW(seconds=self._seconds)]
