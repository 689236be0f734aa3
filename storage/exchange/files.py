"""Files that come from outside: which bytes they are, what they hold, how large they may be; and files we leave."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import IO, Final

from storage.exchange.errors import ExchangeError

MAX_TEXT: Final = 32 * 1024 * 1024  # three years of ten-minute steps are 6 MB
MAX_WORKBOOK: Final = 16 * 1024 * 1024
MAX_UNPACKED: Final = 256 * 1024 * 1024
MAX_RATIO: Final = 200  # of unpacked to packed bytes; tables of numbers stay below 30
MAX_MEMBERS: Final = 1000
_PIECE: Final = 1024 * 1024
_SQLITE: Final = b"SQLite format 3\0"
_ZIP: Final = b"PK\x03\x04"
_OLD_OFFICE: Final = b"\xd0\xcf\x11\xe0"


class Kind(Enum):
    """What a file is, by its first bytes."""

    TEXT = "text"
    WORKBOOK = "workbook"
    ARCHIVE = "archive"
    OLD_WORKBOOK = "workbook of before 2007"
    SQLITE = "SQLite database"
    BINARY = "binary"


def kind_of(path: Path) -> Kind:
    """Look into a file; its name does not count."""
    with reading(path) as file:
        head = file.read(4096)
    if head.startswith(_SQLITE):
        return Kind.SQLITE
    if head.startswith(_OLD_OFFICE):
        return Kind.OLD_WORKBOOK
    if head.startswith(_ZIP):
        with _archive(path) as archive:
            return Kind.WORKBOOK if "xl/workbook.xml" in archive.namelist() else Kind.ARCHIVE
    return Kind.TEXT if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head else Kind.BINARY


def sha256_of(*paths: Path) -> str:
    """The hash of files, one after the other, in pieces."""
    digest = hashlib.sha256()
    for path in paths:
        with reading(path) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
    return digest.hexdigest()


@contextmanager
def reading(path: Path) -> Iterator[IO[bytes]]:
    """A file opened for reading; a failure is one sentence."""
    try:
        with path.open("rb") as file:
            yield file
    except OSError as error:
        raise ExchangeError(f"{path} cannot be read ({error.strerror}): is the name right?") from None


def read_text(path: Path) -> str:
    """A text of bounded size, in the encodings that spreadsheets and French sites write."""
    with reading(path) as file:
        data = file.read(MAX_TEXT + 1)
    if len(data) > MAX_TEXT:
        raise ExchangeError(f"{path} has more than {MAX_TEXT // 2**20} MB: take a shorter period")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def check_archive(path: Path) -> None:
    """Refuse a zip file that is larger than it looks, before anything of it is unpacked.

    Python unpacks no more of a member than its entry says, so what the entries say is the bound.
    """
    with _archive(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        packed = path.stat().st_size
        if packed > MAX_WORKBOOK or unpacked > MAX_UNPACKED or len(members) > MAX_MEMBERS:
            raise ExchangeError(f"{path} is too large ({unpacked // 2**20} MB unpacked): take a shorter period")
        if unpacked > MAX_RATIO * packed:
            raise ExchangeError(f"{path} unpacks to {unpacked // packed} times its size: no workbook of numbers does")
        for member in members:
            if member.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in archive.open(member).read(1024):
                raise ExchangeError(f"{path} declares XML entities: no workbook does, and they may be endless")


@contextmanager
def _archive(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ExchangeError(f"{path} is damaged ({error}): download it again") from None
    except OSError as error:
        raise ExchangeError(f"{path} cannot be read ({error.strerror}): is the name right?") from None


@contextmanager
def written(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """A file beside `path` to write to, which takes its place when all went well, and else is gone."""
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise ExchangeError(f"{path} cannot be written ({error.strerror}): is the folder right?") from None
    part = Path(name)
    try:
        os.fchmod(descriptor, mode & ~_umask())
        os.close(descriptor)
        yield part
        _sync(part)
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise ExchangeError(f"{path} cannot be written ({error.strerror}): is there room?") from None
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync(path: Path) -> None:
    """A power cut does not take it any more."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
