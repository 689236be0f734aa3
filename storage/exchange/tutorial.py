"""The database of the tutorial that this project began with: its table `ticapp_data`, row by row.

Its times are UTC or local, as the tutorial's reader set USE_TZ; the meter's own stamp beside them tells which.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from bridge.tic.catalogue import BY_SLUG
from bridge.tic.errors import GroupError
from bridge.tic.values import PARIS, read_stamp
from storage.exchange.errors import ExchangeError
from storage.exchange.files import Kind, kind_of, reading, sha256_of
from storage.exchange.localtime import Doubt, unfold

TABLE: Final = "ticapp_data"
MEASURES: Final = (
    "east", "easf01", "easf02", "easd01", "easd02", "easd03", "easd04", "sinsts", "sinsts1", "sinsts2", "sinsts3",
)  # fmt: skip
COLUMNS: Final = ("date", "stamp_utc", "ltarf", *MEASURES)

_LIMITS: Final = tuple((name, 10 ** BY_SLUG[name].digits) for name in MEASURES)
_TARIFF: Final = BY_SLUG["ltarf"].digits
_SAMPLE: Final = 2000  # rows that are looked at to tell what the times are
_SURE: Final = 0.95  # of them that agree
_NEAR: Final = timedelta(minutes=20)  # between the host's clock and the meter's
_FALL: Final = timedelta(minutes=30)  # that only the change of the clocks makes
_FIRST: Final = datetime(2009, 1, 1, tzinfo=UTC)  # no Linky is older
_LAST_YEAR: Final = 2200  # as far as Python's arithmetic is safe
_NO_TIME: Final = "its time is none that a clock showed"


class Clock(Enum):
    """What the tutorial's `dateTime` is."""

    UTC = "UTC"
    LOCAL = "local time"


class Row(NamedTuple):
    """A row with its instant and its columns in the order of COLUMNS; `at` is None when it was refused."""

    number: int
    at: datetime | None
    values: tuple[Any, ...]  # text, whole numbers, an instant


class Tutorial:
    """An open database; counts what it refuses and what it empties, by reason."""

    def __init__(self, path: Path, sha256: str, database: sqlite3.Connection) -> None:
        self.path = path
        self.sha256 = sha256
        self.refused: Counter[str] = Counter()
        self.emptied: Counter[str] = Counter()
        self._database = database
        there = {row[1] for row in self._ask(f"PRAGMA table_info({TABLE})")}
        if "dateTime" not in there:
            raise ExchangeError(f"{path} has no table {TABLE} with a column dateTime: is it the tutorial's database?")
        self._names = ", ".join(name if name in there else "NULL" for name in ("date", "ltarf", *MEASURES))

    def _ask(self, sql: str) -> Iterator[tuple[Any, ...]]:
        try:
            for row in self._database.execute(sql):  # noqa: UP028  `yield from` would close a cursor of a closed database
                yield row
        except sqlite3.Error as error:
            raise ExchangeError(f"{self.path} cannot be read ({error})") from None

    def __len__(self) -> int:
        return int(next(self._ask(f"SELECT count(*) FROM {TABLE}"))[0])  # noqa: S608  a constant

    def clock(self, zone: ZoneInfo) -> Clock:
        """What `dateTime` is: whatever agrees with the meter's stamps."""
        every = max(1, len(self) // _SAMPLE)
        date = self._names.partition(",")[0]
        sample = self._ask(f"SELECT dateTime, {date} FROM {TABLE} WHERE rowid % {every} = 0 LIMIT {2 * _SAMPLE}")  # noqa: S608  names only
        votes: Counter[Clock] = Counter()
        for text, raw in sample:
            local, stamp = _time(text), _local_stamp(raw)
            if local is None or stamp is None or local.tzinfo is not None:
                continue
            offset = stamp.replace(tzinfo=zone).utcoffset()
            if abs(local - stamp) < _NEAR:
                votes[Clock.LOCAL] += 1
            elif offset is not None and abs(local - (stamp - offset)) < _NEAR:
                votes[Clock.UTC] += 1
        if not votes or votes.most_common(1)[0][1] < _SURE * votes.total():
            raise ExchangeError(
                f"{self.path}: the meter's stamps do not tell whether the times are UTC or local; say --clock utc (the "
                "tutorial's settings had USE_TZ = True) or --clock local"
            )
        return votes.most_common(1)[0][0]

    def rows(self, zone: ZoneInfo, clock: Clock, now: datetime) -> Iterator[Row]:
        """All rows in the order in which they were written, the refused ones too."""
        latest = now + timedelta(days=1)
        for at, (number, values) in unfold(self._read(zone, clock), zone, _FALL):
            if values is None:
                yield Row(number, None, ())
            elif isinstance(at, Doubt):
                yield self._refuse(number, f"its time is {at.value}")
            elif not _FIRST <= at <= latest:
                yield self._refuse(number, _NO_TIME)
            elif not any(value is not None for value in values[2:]):
                yield self._refuse(number, "it says nothing")
            else:
                yield Row(number, at, values)

    def _refuse(self, number: int, reason: str) -> Row:
        self.refused[reason] += 1
        return Row(number, None, ())

    def _read(
        self, zone: ZoneInfo, clock: Clock
    ) -> Iterator[tuple[datetime, datetime | None, tuple[int, tuple[Any, ...] | None]]]:
        """(local time or instant, the stamp's instant, (number, values)) of each row."""
        legal = PARIS if zone.key == PARIS.key else zone  # whose seasons the letters are
        sql = f"SELECT dateTime, {self._names} FROM {TABLE} ORDER BY id"  # noqa: S608  names only
        for number, (text, raw, tariff, *measures) in enumerate(self._ask(sql), 1):
            time = _time(text)
            if time is None or not _FIRST.year <= time.year <= _LAST_YEAR:
                self.refused["it has no time" if time is None else _NO_TIME] += 1
                yield _FIRST.replace(tzinfo=None), None, (number, None)
                continue
            if time.tzinfo is not None:
                time = time.astimezone(UTC)
            elif clock is Clock.UTC:
                time = time.replace(tzinfo=UTC)
            date, stamp = self._stamp(raw, legal)
            yield time, stamp, (number, (date, stamp, self._tariff(tariff), *self._measures(measures)))

    def _stamp(self, raw: object, zone: ZoneInfo) -> tuple[str | None, datetime | None]:
        """The stamp as it stands, and the instant when it says one: twelve digits lost the letter that does."""
        if raw is None or raw == "":
            return None, None
        if isinstance(raw, str) and len(raw) in (12, 13):
            try:
                stamp = read_stamp(raw.rjust(13), zone)
            except GroupError:
                pass
            else:
                return raw, None if raw[0] in "he" or len(raw) == 12 else stamp.at.astimezone(UTC)
        self.emptied["date"] += 1
        return None, None

    def _tariff(self, text: object) -> str | None:
        if text is None or (isinstance(text, str) and len(text) <= _TARIFF and text.isprintable()):
            return text
        self.emptied["ltarf"] += 1
        return None

    def _measures(self, values: list[object]) -> list[int | None]:
        kept: list[int | None] = []
        for (name, limit), value in zip(_LIMITS, values, strict=True):
            if value is None or (type(value) is int and 0 <= value < limit):
                kept.append(value)
            else:
                self.emptied[name] += 1
                kept.append(None)
        return kept


def _time(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _local_stamp(raw: object) -> datetime | None:
    """What the meter's clock showed, with or without its season."""
    if not isinstance(raw, str) or len(raw) not in (12, 13):
        return None
    try:
        stamp = read_stamp(raw.rjust(13), PARIS)
    except GroupError:
        return None
    return stamp.at.replace(tzinfo=None)


@contextmanager
def opened(path: Path) -> Iterator[Tutorial]:
    """The database, which is not changed, whoever else has it open or left it with a WAL."""
    if kind_of(path) is not Kind.SQLITE:
        raise ExchangeError(f"{path} is no SQLite database: the tutorial's is db.sqlite3, beside its manage.py")
    wal = path.with_name(f"{path.name}-wal")
    has_wal = wal.exists() and wal.stat().st_size > 0
    digest = sha256_of(path, wal) if has_wal else sha256_of(path)
    with tempfile.TemporaryDirectory() as folder:
        how = "mode=ro"
        file = path
        if has_wal and not path.with_name(f"{path.name}-shm").exists():
            file = Path(folder, path.name)  # of a program that was killed: SQLite would mend the original
            shutil.copy(path, file)
            shutil.copy(wal, folder)
        elif not has_wal and _is_wal(path):
            how += "&immutable=1"  # nobody has it open, and SQLite would make a WAL beside it
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{how}", uri=True)) as database:
            database.text_factory = lambda data: data.decode(errors="replace")
            yield Tutorial(path, digest, database)


def _is_wal(path: Path) -> bool:
    with reading(path) as file:
        return file.read(19)[18:] == b"\2"
