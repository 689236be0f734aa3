"""The durable queue of readings: committed here first, sent after, deleted when the store has them.

A stream is one meter in one epoch; inside it readings are numbered. What is held is on disk, or newer and in memory.
`docs/design/handover.md` says what each durability may lose.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice, takewhile
from pathlib import Path
from time import monotonic
from typing import Concatenate, Final, Literal, NamedTuple, ParamSpec, TypeVar

from bridge.room import Room
from bridge.spoolfile import connect, contents, drop_oldest, is_damage, salvage, set_aside, shrink

log = logging.getLogger("ticbridge.spool")

Durability = Literal["strict", "balanced", "sparing"]

HOLD: Final = 10.0  # seconds that `sparing` keeps a reading in memory, beyond the store's own batch
UNPROMISED_HOLD: Final = 60.0  # and that any spool does while no store was ever seen
IN_MEMORY: Final = 10_000  # readings that wait there at most, while the file cannot be written
_RETRY: Final = 5.0  # seconds between two tries of a file that failed
_P = ParamSpec("_P")
_R = TypeVar("_R")

_INSERT: Final = "INSERT INTO reading (stream, seq, at, body) VALUES (?, ?, ?, ?)"


class Stream(NamedTuple):
    """One meter in one epoch."""

    meter: str
    epoch: str


class Held(NamedTuple):
    """A reading in the spool. `at` is the monotonic clock of the boot that `boot()` names."""

    stream: Stream
    seq: int
    at: float
    body: str


def _locked(method: Callable[Concatenate[Spool, _P], _R]) -> Callable[Concatenate[Spool, _P], _R]:
    def wrapped(self: Spool, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        with self._lock:
            return method(self, *args, **kwargs)

    return wrapped


class Spool:
    """Readings in the order in which they came. Used by any thread; no method raises, whatever the file does."""

    def __init__(
        self,
        path: Path,
        durability: Durability = "balanced",
        *,
        max_frames: int = 600_000,
        min_free_disk: int = 0,
        boot: str = "",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._path = path
        self._durability = durability
        self._room = Room(path, max_frames, min_free_disk, clock)
        self._boot = boot
        self._clock = clock
        self._lock = threading.RLock()
        self._db: sqlite3.Connection | None = None
        self._ids: dict[Stream, int] = {}
        self._since: dict[Stream, int] = {}
        self._boots: dict[Stream, str] = {}
        self._ends: dict[Stream, tuple[int, int]] = {}  # the first and the last seq held
        self._memory: deque[Held] = deque()  # newer than all that is on disk
        self._on_disk = 0
        self._retry_at = 0.0
        self._said = ""
        self.hold = HOLD
        self.promised = True  # False: no store was ever seen, so nothing that is dropped is missed
        self.dropped = 0  # promised readings that had to go: too many, or in a file that broke
        self._try_open()

    # --- what is held ----------------------------------------------------------------------------

    @property
    def depth(self) -> int:
        """Readings held."""
        return self._on_disk + len(self._memory)

    @property
    def trouble(self) -> str:
        """Why the file cannot be written now; empty when it can."""
        return self._said

    @_locked
    def streams(self) -> dict[Stream, tuple[int, int]]:
        """The first and the last seq held of each stream, the oldest stream first."""
        return dict(self._ends)

    @_locked
    def floor(self, stream: Stream) -> int | None:
        """The oldest seq held of a stream."""
        ends = self._ends.get(stream)
        return ends[0] if ends else None

    def since(self, stream: Stream) -> int:
        """The seq from which on readings of a stream were promised."""
        return self._since.get(stream, 1)

    def boot(self, stream: Stream) -> str:
        """The boot in which a stream was read."""
        return self._boots.get(stream, self._boot)

    @_locked
    def after(self, stream: Stream, seq: int, limit: int) -> list[Held]:
        """At most `limit` readings of a stream above `seq`, in order."""
        found: list[Held] = []
        if self._db is not None and stream in self._ids:
            statement = "SELECT seq, at, body FROM reading WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?"
            with self._failing_softly():
                rows = self._db.execute(statement, (self._ids[stream], seq, limit)).fetchall()
                found = [Held(stream, *row) for row in rows]
        more = (held for held in self._memory if held.stream == stream and held.seq > seq)
        return [*found, *islice(more, limit - len(found))]

    @_locked
    def put(self, held: Held) -> bool:
        """Keep a reading; False when it is in memory only although it should be on disk."""
        self._ends[held.stream] = (self._ends.get(held.stream, (held.seq, 0))[0], held.seq)
        self._boots.setdefault(held.stream, self._boot)
        at_once = self.promised and self._durability != "sparing"
        if at_once and not self._memory and self._db is not None:
            with self._failing_softly():
                self._write([held])
                return True
        self._memory.append(held)
        if at_once:
            self._try_flush(float("inf"))
        self._bound_memory()
        return not (at_once and self._memory) and self._db is not None

    @_locked
    def settle(self, held: Held) -> None:
        """Replace the body of a reading that is held: its time is known now."""
        for place, other in enumerate(self._memory):
            if other[:2] == held[:2]:
                self._memory[place] = held
                return
        if self._db is not None and held.stream in self._ids:
            statement = "UPDATE reading SET body = ? WHERE stream = ? AND seq = ?"
            with self._failing_softly():
                self._db.execute(statement, (held.body, self._ids[held.stream], held.seq))

    @_locked
    def release(self, marks: Mapping[Stream, int]) -> int:
        """Forget what these streams hold up to a seq, all of it in one commit; how many readings."""
        kept = [held for held in self._memory if held.seq > marks.get(held.stream, 0)]
        released = len(self._memory) - len(kept)
        if released:
            self._memory = deque(kept)
        if self._db is not None:
            with self._failing_softly(), self._transaction() as db:
                count = 0
                for stream, seq in marks.items():
                    if stream in self._ids:
                        statement = "DELETE FROM reading WHERE stream = ? AND seq <= ?"
                        count += db.execute(statement, (self._ids[stream], seq)).rowcount
                self._on_disk -= count
                released += count
        for stream in marks if released else ():
            self._measure(stream)
        return released

    @_locked
    def forget(self, stream: Stream) -> None:
        """Strike an empty stream off: nothing more will be put into it."""
        number = self._ids.pop(stream, None)
        self._since.pop(stream, None)
        self._boots.pop(stream, None)
        if self._db is not None and number is not None:
            with self._failing_softly():
                self._db.execute("DELETE FROM stream WHERE id = ?", (number,))

    # --- facts that outlive the process ----------------------------------------------------------

    @_locked
    def recall(self, name: str) -> str | None:
        """A fact, as it was remembered."""
        row = None
        if self._db is not None:
            with self._failing_softly():
                row = self._db.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else None

    @_locked
    def remember(self, name: str, value: str) -> None:
        """Keep a fact."""
        if self._db is not None:
            with self._failing_softly():
                self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    # --- what time brings about ------------------------------------------------------------------

    @_locked
    def tick(self) -> None:
        """Write what has been in memory long enough, give free space back."""
        hold = self.hold if self.promised else UNPROMISED_HOLD
        waits = self.promised and self._durability != "sparing"
        self._try_flush(float("inf") if waits else self._clock() - hold)
        if self._db is not None:
            with self._failing_softly():
                shrink(self._db)

    @_locked
    def close(self) -> None:
        """Write what is in memory, close the file."""
        self._retry_at = 0.0
        self._try_flush(float("inf"))
        if self._db is not None:
            self._db.close()
            self._db = None

    # --- inside ----------------------------------------------------------------------------------

    def _try_flush(self, before: float) -> None:
        """Write what came into memory before an instant; what cannot be written stays there."""
        if not self._memory or (self._db is None and not self._try_open()):
            return
        due = list(takewhile(lambda held: held.at <= before, self._memory))
        if not due or self._clock() < self._retry_at:
            return
        with self._failing_softly():
            self._write(due)
            for _ in due:
                self._memory.popleft()
            if self._said:
                log.info("The spool %s can be written again", self._path)
                self._said = ""

    def _write(self, new: Sequence[Held]) -> None:
        """Commit readings, and drop as many of the oldest as there are too many."""
        if len(new) == 1 and new[0].stream in self._ids and self._on_disk < self._limit(self._on_disk):
            assert self._db is not None, "the callers look"
            self._db.execute(_INSERT, (self._ids[new[0].stream], *new[0][1:]))  # a transaction of its own
            self._on_disk += 1
            return
        with self._transaction() as db:
            for held in new:
                number = self._ids.get(held.stream) or self._stream_id(db, held.stream)
                db.execute(_INSERT, (number, *held[1:]))
            self._on_disk += len(new)
            excess = self._on_disk - self._limit(self._on_disk - len(new))
            gone = self._drop(db, excess) if excess > 0 else []
        for stream in gone:
            self._measure(stream)

    def _stream_id(self, db: sqlite3.Connection, stream: Stream) -> int:
        statement = "INSERT INTO stream (meter, epoch, since, boot) VALUES (?, ?, ?, ?) RETURNING id"
        number: int = db.execute(statement, (*stream, self.since(stream), self.boot(stream))).fetchone()[0]
        self._ids[stream] = number
        return number

    def _limit(self, before: int) -> int:
        return self._room.limit(before, sys.maxsize if self.promised else IN_MEMORY)

    def _drop(self, db: sqlite3.Connection, number: int) -> list[Stream]:
        """Delete the oldest readings, of whatever stream; the streams they were of."""
        count, last = drop_oldest(db, number)
        self._on_disk -= count
        touched = {stream: last[number] for stream, number in self._ids.items() if number in last}
        if self.promised:
            if count and not self.dropped:
                log.warning("The spool %s is full: its oldest readings are dropped", self._path)
            self.dropped += count
        else:
            for stream, seq in touched.items():
                self._since[stream] = seq + 1
                db.execute("UPDATE stream SET since = ? WHERE id = ?", (seq + 1, self._ids[stream]))
        return list(touched)

    def _bound_memory(self) -> None:
        while len(self._memory) > IN_MEMORY:
            # As on disk: the last of a stream stays, the newest of all is one.
            place = next(n for n, held in enumerate(self._memory) if held.seq < self._ends[held.stream][1] or n)
            oldest = self._memory[place]
            del self._memory[place]
            self._measure(oldest.stream)
            if self.promised:
                self.dropped += 1
            else:
                self._since[oldest.stream] = oldest.seq + 1

    def _measure(self, stream: Stream) -> None:
        """Find the ends of a stream anew, after something of it went."""
        seqs = [held.seq for held in self._memory if held.stream == stream]
        if self._db is not None and stream in self._ids:
            with self._failing_softly():
                statement = "SELECT min(seq), max(seq) FROM reading WHERE stream = ?"
                first, last = self._db.execute(statement, (self._ids[stream],)).fetchone()
                seqs.extend(seq for seq in (first, last) if seq is not None)
        if seqs:
            self._ends[stream] = min(seqs), max(seqs)
        else:
            self._ends.pop(stream, None)

    # --- the file --------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        assert self._db is not None, "the callers look"
        before, ids = self._on_disk, dict(self._ids)
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            self._on_disk, self._ids = before, ids
            with suppress(sqlite3.Error):
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
            raise

    @contextmanager
    def _failing_softly(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            self._fail(error)

    def _try_open(self) -> bool:
        """Open the file; a broken one is set aside."""
        if self._clock() < self._retry_at:
            return False
        try:
            self._open()
        except (sqlite3.Error, OSError) as error:
            self._fail(error)
        return self._db is not None

    def _open(self) -> None:
        self._db = connect(self._path, strict=self._durability == "strict")
        self._load(self._db)

    def _load(self, db: sqlite3.Connection) -> None:
        rows, self._on_disk = contents(db)
        for number, meter, epoch, since, boot, first, last in rows:
            stream = Stream(meter, epoch)
            self._ids[stream], self._since[stream], self._boots[stream] = number, since, boot
            if first is not None and last is not None:
                known = self._ends.get(stream, (first, last))
                self._ends[stream] = min(first, known[0]), max(last, known[1])

    def _fail(self, error: sqlite3.Error | OSError) -> None:
        """The file cannot be used now: from memory, then, until it can; what broke is set aside."""
        if self._db is not None:
            with suppress(sqlite3.Error):
                self._db.close()
            self._db = None
        if is_damage(error) and (aside := set_aside(self._path)) is not None:
            self._begin_anew(error, aside)
            return
        self._retry_at = self._clock() + _RETRY
        sentence = (
            f"The spool {self._path} cannot be written ({_why(error)}): readings wait in memory; is the disk full?"
        )
        if sentence != self._said:
            self._said = sentence
            log.error("%s", sentence)

    def _begin_anew(self, error: sqlite3.Error | OSError, aside: Path) -> None:
        held, self._on_disk = self._on_disk, 0
        self._ids.clear()
        self._ends.clear()
        for waiting in self._memory:
            self._ends[waiting.stream] = (self._ends.get(waiting.stream, (waiting.seq, 0))[0], waiting.seq)
        if self._try_open() and self._db is not None:
            with self._failing_softly():
                salvage(aside, self._db)
                self._load(self._db)
        self.dropped += max(0, held - self._on_disk)
        log.error(
            "The spool %s is damaged (%s): set aside as %s; %d readings could be read and are in a new one",
            self._path, error, aside.name, self._on_disk,
        )  # fmt: skip


def _why(error: sqlite3.Error | OSError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
