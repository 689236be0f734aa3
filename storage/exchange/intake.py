"""A file that was sent to a page: looked at, then taken in, in a thread, while nobody need wait for it.

What becomes of it stands in one small file beside it, so that any process that serves pages can tell. A lock tells
whether somebody works on it: the kernel frees it however the work ends. The sent file goes as soon as it is of no use.
"""

from __future__ import annotations

import fcntl
import json
import logging
import shutil
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

import django.db
from django.db import connection

from storage.exchange.errors import ExchangeError
from storage.exchange.files import Kind, kind_of, written
from storage.exchange.meters import find_meter
from storage.exchange.noted import noted_enedis, noted_tutorial
from storage.occupancy import OccupiedError, locked

log = logging.getLogger("ticbridge.web")

MOST: Final = 512 * 1024 * 1024  # bytes of a file that is sent; larger ones are for the command line
_PATIENCE: Final = timedelta(days=1)  # after which a file that nobody confirmed goes
_LONGEST_NAME: Final = 100
_NOTE: Final = "job.json"


class State(Enum):
    """Where it stands."""

    LOOKING = "looking"
    READY = "ready"  # it was looked at; its owner decides
    TAKING = "taking"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"  # the process that worked on it is gone


BUSY: Final = (State.LOOKING, State.TAKING)
OPEN: Final = (*BUSY, State.READY)


@dataclass(frozen=True, slots=True)
class Wish:
    """What its sender said of the file."""

    meter_id: str
    by: str
    way: str = ""  # consumption, production; empty: the file says it
    clock: str = ""  # UTC, LOCAL; empty: the file says it


@dataclass(frozen=True, slots=True)
class Job:
    """A file on its way."""

    number: str
    name: str
    wish: Wish
    state: State
    made: datetime
    percent: int | None = None  # None: it cannot be told
    report: dict[str, Any] = field(default_factory=dict)  # as `noted` wrote it
    error: str = ""

    @property
    def is_open(self) -> bool:
        """Whether another file has to wait."""
        return self.state in OPEN

    @property
    def is_busy(self) -> bool:
        return self.state in BUSY


class BusyError(Exception):
    """Another file is being taken in, or waits for its owner."""


Spawn = Callable[[Callable[[], None]], None]


def in_a_thread(work: Callable[[], None]) -> None:
    """At work beside the requests; it ends with the process, and what it committed stays."""
    threading.Thread(target=work, name="import", daemon=True).start()


class Intake:
    """The one place where a sent file waits."""

    def __init__(self, folder: Path, spawn: Spawn = in_a_thread) -> None:
        self._folder = folder
        self._spawn = spawn

    def current(self) -> Job | None:
        """The newest job, whatever became of it."""
        job = self._noted()
        if job is None or not (job.is_busy or _is_forgotten(job)):
            return job
        with ExitStack() as stack:
            try:
                self._lock(stack)
            except BusyError:
                return job
            job = self._noted()  # it may have come to its end meanwhile
            if job is not None and (job.is_busy or _is_forgotten(job)):
                job = self._finish(replace(job, state=State.STOPPED))
            return job

    def begin(self, name: str, pieces: Iterable[bytes], wish: Wish) -> Job:
        """Keep what was sent, and look at it.

        BusyError when another one is on its way, ExchangeError when it is too large.
        """
        with ExitStack() as stack:
            self._lock(stack)
            job = self._noted()  # nobody works on one: we have the lock
            if job is not None and job.state is State.READY and not _is_forgotten(job):
                raise BusyError
            self._clear()
            job = Job(uuid4().hex, _safe(name), wish, State.LOOKING, datetime.now(UTC))
            self._keep(job, pieces)
            self._note(job)
            self._run(job, stack.pop_all(), dry_run=True)
        return job

    def confirm(self, number: str) -> Job:
        """Take it in. BusyError when it is not there to be taken."""
        with ExitStack() as stack:
            self._lock(stack)
            job = self._noted()
            if job is None or job.number != number or job.state is not State.READY:
                raise BusyError
            job = self._note(replace(job, state=State.TAKING, percent=None))
            self._run(job, stack.pop_all(), dry_run=False)
        return job

    def discard(self, number: str) -> bool:
        """Forget a file that is not worked on."""
        with ExitStack() as stack:
            try:
                self._lock(stack)
            except BusyError:
                return False
            job = self._noted()
            if job is None or job.number != number or not job.is_open:
                return False
            self._clear()
            (self._folder / _NOTE).unlink(missing_ok=True)
        return True

    # --- the work --------------------------------------------------------------------------------

    def _run(self, job: Job, lock: ExitStack, *, dry_run: bool) -> None:
        def work() -> None:
            try:
                with lock:
                    self._work(job, dry_run=dry_run)
            finally:
                connection.close()

        self._spawn(work)

    def _work(self, job: Job, *, dry_run: bool) -> None:
        path = self._file(job)
        try:
            report = self._take(job, path, dry_run=dry_run)
        except ExchangeError as error:
            self._finish(replace(job, state=State.FAILED, error=_without(path, str(error))))
        except (OSError, django.db.Error) as error:
            log.error("The file %s could not be taken in (%s)", job.name, str(error).strip())
            self._finish(replace(job, state=State.FAILED, error=str(error).strip()))
        except Exception:
            log.exception("The file %s could not be taken in", job.name)
            self._finish(replace(job, state=State.FAILED))
        else:
            if dry_run:
                self._note(replace(job, state=State.READY, report=report))
            else:
                self._finish(replace(job, state=State.DONE, report=report))

    def _take(self, job: Job, path: Path, *, dry_run: bool) -> dict[str, Any]:
        from storage.exchange.enedis.blocks import Direction  # noqa: PLC0415  its parser takes a while to load
        from storage.exchange.enedis.take import take as take_enedis  # noqa: PLC0415
        from storage.exchange.take_tutorial import take as take_tutorial  # noqa: PLC0415
        from storage.exchange.tutorial import Clock, opened  # noqa: PLC0415

        meter = find_meter(job.wish.meter_id)
        if kind_of(path) is not Kind.SQLITE:
            way = Direction(job.wish.way) if job.wish.way else None
            return noted_enedis(take_enedis(path, meter, way, dry_run=dry_run, advance=self._advance(job, 100)))
        zone = ZoneInfo(meter.timezone)
        with opened(path) as source:
            clock = Clock[job.wish.clock] if job.wish.clock else source.clock(zone)
            advance = self._advance(job, len(source))
            taken = take_tutorial(source, meter, zone, clock, datetime.now(UTC), dry_run=dry_run, advance=advance)
            return noted_tutorial(source, clock, taken)

    def _advance(self, job: Job, total: int) -> Callable[[int], None]:
        said = -1

        def advance(done: int) -> None:
            nonlocal said
            percent = min(100, 100 * done // max(total, 1))
            if percent > said:
                said = percent
                self._note(replace(job, percent=percent))

        return advance

    # --- the folder ------------------------------------------------------------------------------

    def _lock(self, stack: ExitStack) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            stack.enter_context(locked(self._folder / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except OccupiedError:
            raise BusyError from None

    def _file(self, job: Job) -> Path:
        return self._folder / "sent" / job.name

    def _keep(self, job: Job, pieces: Iterable[bytes]) -> None:
        path = self._file(job)
        path.parent.mkdir(mode=0o700)
        count = 0
        try:
            with path.open("xb") as file:
                for piece in pieces:
                    count += len(piece)
                    if count > MOST:
                        raise ExchangeError(f"{job.name} has more than {MOST // 2**20} MB")
                    file.write(piece)
        except BaseException:
            self._clear()
            raise

    def _clear(self) -> None:
        shutil.rmtree(self._folder / "sent", ignore_errors=True)

    def _finish(self, job: Job) -> Job:
        """The file is of no more use."""
        self._clear()
        return self._note(job)

    def _noted(self) -> Job | None:
        try:
            return _read(json.loads((self._folder / _NOTE).read_text()))
        except (OSError, ValueError, KeyError, TypeError):  # none yet, or of another version
            return None

    def _note(self, job: Job) -> Job:
        said = {**asdict(job), "state": job.state.value, "made": job.made.isoformat()}
        with suppress(ExchangeError), written(self._folder / _NOTE, 0o600) as part:  # a full disk ends the work itself
            part.write_text(json.dumps(said))
        return job


def _is_forgotten(job: Job) -> bool:
    return job.state is State.READY and datetime.now(UTC) - job.made > _PATIENCE


def _read(said: dict[str, Any]) -> Job:
    wish = Wish(**said.pop("wish"))
    state, made = State(said.pop("state")), datetime.fromisoformat(said.pop("made"))
    return Job(wish=wish, state=state, made=made, **said)


def _safe(name: str) -> str:
    """A name for a file of ours: nothing of a path is left, nor anything that cannot be shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(character for character in last if character.isprintable()).lstrip(". ")
    while len(plain.encode()) > _LONGEST_NAME:
        plain = plain[1:]
    return plain or "file"


def _without(path: Path, sentence: str) -> str:
    """Nobody who reads it knows our folders."""
    return sentence.replace(str(path), path.name)
