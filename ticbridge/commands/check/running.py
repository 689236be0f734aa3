"""How the parts of a check run: in turn, each for a bounded time, and told as it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Final, NamedTuple

from ticbridge.commands.check.finding import Finding, Words, failed
from ticbridge.commands.check.scene import Scene

log = logging.getLogger("ticbridge.check")

LONGEST: Final = 22.0  # seconds for everything, whatever is broken ...
LEAST: Final = 2.5  # ... but a part has this long, however much the others took

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
    """One part of a check: its name in both languages, who looks at it, and for how long at most."""

    name: str
    fr: str
    look: Callable[[Scene], Iterable[Finding]]
    seconds: float


class Found(NamedTuple):
    """A finding, and the part that it belongs to."""

    part: Part
    finding: Finding


@dataclass(slots=True)
class _Answer:
    findings: list[Finding]
    is_done: bool = False


def run(
    parts: Iterable[Part], scene: Scene, patience: float = 1.0, clock: Callable[[], float] = monotonic
) -> Iterator[Found]:
    """Look at each part and tell what is found as soon as it is. `patience`: times as long for each."""
    until = clock() + LONGEST * patience
    for part in parts:
        seconds = max(LEAST * patience, min(part.seconds * patience, until - clock()))
        for finding in _look(part, scene, seconds):
            yield Found(part, finding)


def _look(part: Part, scene: Scene, seconds: float) -> list[Finding]:
    """What a part finds. It has a thread of its own: what hangs in the kernel cannot be ended, only left behind."""
    answer = _Answer([])

    def look() -> None:
        try:
            for finding in part.look(scene):
                answer.findings.append(finding)
        except Exception as error:
            log.debug("The part %s failed", part.name, exc_info=True)
            answer.findings.append(BROKEN(why=f"{type(error).__name__}: {error}"))
        answer.is_done = True

    thread = threading.Thread(target=look, name=f"check {part.name}", daemon=True)
    thread.start()
    thread.join(seconds)
    found = list(answer.findings)
    return found if answer.is_done else [*found, SLOW(seconds=seconds)]
