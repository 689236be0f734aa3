"""What held when. Instants are whole seconds since 1970, periods half-open."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Version(Generic[T]):
    """It holds from `start` to `end`; None: it still does."""

    start: int
    end: int | None
    what: T


class Timeline(Generic[T]):
    """Versions that do not overlap."""

    __slots__ = ("_starts", "_versions")

    def __init__(self, versions: Iterable[Version[T]] = ()) -> None:
        self._versions = sorted(versions, key=lambda version: version.start)
        self._starts = [version.start for version in self._versions]

    def at(self, moment: int) -> T | None:
        """What holds at a moment; None if nothing does."""
        n = bisect_right(self._starts, moment) - 1
        if n < 0:
            return None
        found = self._versions[n]
        return found.what if found.end is None or moment < found.end else None

    def edges(self, start: int, end: int) -> Iterator[int]:
        """Moments strictly between start and end at which something begins or ends."""
        for version in self._versions:
            for edge in (version.start, version.end):
                if edge is not None and start < edge < end:
                    yield edge
