"""Who promised what, and what became of it: the ledger inside the spool, the rows of the database, and the verdict.

The ledger is a table of the spool's own file, filled by a trigger: in the transaction that accepts a reading, so it
holds exactly what was committed there, and it stays when the reading is released.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

Execute = Callable[[str], Iterable[tuple[Any, ...]]]  # runs a query; the columns' types are the database's

_TRIGGER: Final = """
CREATE TABLE IF NOT EXISTS ledger(meter TEXT, epoch TEXT, seq INTEGER, body TEXT);
CREATE TRIGGER IF NOT EXISTS ledger_of_all AFTER INSERT ON reading BEGIN
    INSERT INTO ledger SELECT meter, epoch, NEW.seq, NEW.body FROM stream WHERE id = NEW.stream;
END;
"""


class Name(NamedTuple):
    """What names a reading."""

    meter: str
    epoch: str
    seq: int


@dataclass(slots=True)
class Promised:
    """Each reading that a spool accepted, with the frame's counter; what it still holds."""

    readings: dict[Name, int | None] = field(default_factory=dict)
    twice: list[Name] = field(default_factory=list)  # accepted under a name that was taken: the spool is wrong
    held: int = 0

    def add(self, other: Promised) -> None:
        """Also what another spool accepted."""
        self.twice += other.twice
        self.twice += [n for n, counter in other.readings.items() if self.readings.get(n, counter) != counter]
        self.readings |= other.readings
        self.held += other.held


@dataclass(slots=True)
class Stored:
    """What is in the database."""

    rows: list[tuple[Name, int | None]] = field(default_factory=list)
    dead: list[tuple[Name | None, bytes]] = field(default_factory=list)
    gaps: set[Name] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the promise was kept."""

    accepted: int
    stored: int
    dead: int
    gaps: int
    missing: tuple[Name, ...]  # accepted, and neither in the database nor in a gap
    invented: tuple[Name, ...]  # in the database, and never accepted
    doubled: tuple[Name, ...]  # stored twice under one name
    repeated: tuple[int, ...]  # counters of the line that are in two rows
    unlike: tuple[Name, ...]  # stored with another counter than accepted
    renumbered: tuple[Name, ...]  # two readings were accepted under one name
    unsent: tuple[int, ...]  # accepted, and never on the line
    given_up: tuple[Name, ...]  # in a gap although it is stored
    held: int  # in the spool still

    @property
    def duplicates(self) -> int:
        """Rows too many."""
        return len(self.doubled) + len(self.repeated)

    def wrong(self, *, may_send_unspooled: bool = False) -> list[str]:
        """What is broken, a sentence each; none when the invariant holds.

        While its disk is full a bridge sends what it could not promise: then more may be stored than was accepted.
        """
        lists: dict[str, tuple[object, ...]] = {
            "missing in the database": self.missing,
            "stored and never accepted": () if may_send_unspooled else self.invented,
            "stored twice": self.doubled, "counters stored twice": self.repeated,
            "stored with another counter": self.unlike, "accepted under a name that was taken": self.renumbered,
            "accepted and never on the line": self.unsent, "in a gap and in the database": self.given_up,
        }  # fmt: skip
        found = [f"{len(names)} {what}: {_some(names)}" for what, names in lists.items() if names]
        return [*found, f"{self.held} still in the spool"] if self.held else found


def _some(names: Iterable[object]) -> str:
    texts = [f"{n.epoch[:8]}/{n.seq}" if isinstance(n, Name) else str(n) for n in names]
    return ", ".join(texts[:5]) + (", ..." if len(texts) > 5 else "")


def judge(promised: Promised, stored: Stored, sent: set[tuple[str, int]]) -> Verdict:
    """Hold the database against the ledger of what was accepted, and that against the line's."""
    names = Counter(name for name, _ in stored.rows)
    counters = Counter((name.meter, counter) for name, counter in stored.rows if counter is not None)
    accepted = promised.readings
    dead = {name for name, _ in stored.dead if name is not None}
    return Verdict(
        accepted=len(accepted),
        stored=len(names),
        dead=len(stored.dead),
        gaps=len(stored.gaps),
        missing=tuple(sorted(accepted.keys() - names.keys() - stored.gaps - dead)),
        invented=tuple(sorted(names.keys() - accepted.keys())),
        doubled=tuple(sorted(name for name, number in names.items() if number > 1)),
        repeated=tuple(sorted(counter for (_, counter), number in counters.items() if number > 1)),
        unlike=tuple(sorted(n for n, counter in stored.rows if n in accepted and accepted[n] != counter)),
        renumbered=tuple(promised.twice),
        unsent=tuple(sorted(c for n, c in accepted.items() if c is not None and (n.meter, c) not in sent)),
        given_up=tuple(sorted(stored.gaps & names.keys())),
        held=promised.held,
    )


# --- the spool -----------------------------------------------------------------------------------


def keep_ledger(spool: Path) -> None:
    """Have the spool write its ledger from now on. The spool must exist."""
    with closing(sqlite3.connect(spool, timeout=20)) as connection:
        connection.executescript(_TRIGGER)


def counter_of(body: str) -> int | None:
    """The counter in a reading's JSON; None when that group was damaged."""
    value = json.loads(body)["values"].get("sinsts")
    return value if isinstance(value, int) else None


def read_spool(spool: Path) -> Promised:
    """What a spool promised, and what it still holds."""
    promised = Promised()
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=20)) as connection:
        for meter, epoch, seq, body in connection.execute("SELECT meter, epoch, seq, body FROM ledger ORDER BY rowid"):
            name = Name(meter, epoch, seq)
            if name in promised.readings:
                promised.twice.append(name)
            promised.readings[name] = counter_of(body)
        [(promised.held,)] = connection.execute("SELECT count(*) FROM reading")
    return promised


def count(spool: Path, table: str) -> int:
    """The rows of one of the spool's tables."""
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=20)) as connection:
        [(number,)] = connection.execute(f"SELECT count(*) FROM {table}")
    return int(number)


def newest(spool: Path, meter: str) -> int | None:
    """The counter that was accepted last of a meter."""
    with closing(sqlite3.connect(f"file:{spool}?mode=ro", uri=True, timeout=20)) as connection:
        query = "SELECT body FROM ledger WHERE meter = ? ORDER BY rowid DESC LIMIT 1"
        row = connection.execute(query, (meter,)).fetchone()
    return None if row is None else counter_of(row[0])


# --- the database --------------------------------------------------------------------------------

_ROWS: Final = (
    "SELECT m.meter_id, e.uuid, d.seq, d.sinsts FROM storage_data d "
    "JOIN storage_epoch e ON e.id = d.epoch_id JOIN storage_meter m ON m.id = e.meter_id"
)
_DEAD: Final = (
    "SELECT m.meter_id, e.uuid, d.seq, d.body FROM storage_deadletter d "
    "LEFT JOIN storage_epoch e ON e.id = d.epoch_id LEFT JOIN storage_meter m ON m.id = e.meter_id"
)
_GAPS: Final = (
    "SELECT m.meter_id, e.uuid, g.first, g.last FROM storage_gap g "
    "JOIN storage_epoch e ON e.id = g.epoch_id JOIN storage_meter m ON m.id = e.meter_id"
)


def _name(meter: str, epoch: object, seq: int) -> Name:
    return Name(meter, str(UUID(str(epoch))), seq)


def read_database(execute: Execute) -> Stored:
    """Everything that the store keeps."""
    stored = Stored()
    stored.rows = [(_name(*names), counter) for *names, counter in execute(_ROWS)]
    stored.dead = [
        (_name(meter, epoch, seq) if epoch is not None else None, bytes(body))
        for meter, epoch, seq, body in execute(_DEAD)
    ]
    for meter, epoch, first, last in execute(_GAPS):
        stored.gaps.update(_name(meter, epoch, seq) for seq in range(first, last + 1))
    return stored
