"""A date as people write it, to an instant: for the command line and for addresses of the API."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

EXPECTED: Final = "expected a date such as 2026-11-28, 28/11/2026, 2026-11, yesterday or 2026-11-28T10:30+01:00"

_TIME: Final = r"(?:[T ]+(?P<hour>\d{1,2})[:h](?P<minute>\d{2})?(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,6}))?)?)?"
_OFFSET: Final = r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?"
_SHAPES: Final = tuple(
    re.compile(shape + rest, re.ASCII | re.IGNORECASE)
    for shape, rest in (
        (r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})", _TIME + _OFFSET),
        (r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})", _TIME + _OFFSET),
        # The day comes first, as in France; years of two digits are of this century.
        (r"(?P<day>\d{1,2})(?P<dot>[/.-])(?P<month>\d{1,2})(?P=dot)(?P<year>\d{4}|\d{2})", _TIME + _OFFSET),
        (r"(?P<day>\d{1,2})(?:er|st|nd|rd|th)? (?P<name>[a-z]+)\.? (?P<year>\d{4})", _TIME + _OFFSET),
        (r"(?P<year>\d{4})-(?P<month>\d{1,2})", ""),
        (r"(?P<month>\d{1,2})/(?P<year>\d{4})", ""),
        (r"(?P<name>[a-z]+)\.? (?P<year>\d{4})", ""),
        (r"(?P<year>\d{4})", ""),
    )
)
_MONTHS: Final = tuple(
    frozenset(words.split())
    for words in (
        "jan janv janvier january", "feb fev fevr fevrier february", "mar mars march", "apr avr avril april",
        "may mai", "jun juin june", "jul juil juillet july", "aug aou aout august", "sep sept septembre september",
        "oct octobre october", "nov novembre november", "dec decembre december",
    )
)  # fmt: skip
_DAYS: Final = {
    "today": 0, "aujourd'hui": 0, "yesterday": -1, "hier": -1, "tomorrow": 1, "demain": 1,
}  # fmt: skip


def parse_when(text: str, zone: ZoneInfo, *, now: datetime, end: bool = False) -> datetime:
    """An instant in UTC. A year, a month or a day stands for its beginning, or with `end` for the moment it is over.

    A time without an offset is one of the zone's clock: the first of the two that the change in October has, and
    none of those that the change in March leaves out. Anything else is a ValueError whose text says what is expected.
    """
    plain = _plain(text)
    if plain in ("now", "maintenant"):
        return now.astimezone(UTC)
    try:
        if plain in _DAYS:
            day = now.astimezone(zone).date() + timedelta(days=_DAYS[plain])
            return _midnight(day + timedelta(days=1) if end else day, zone)
        for shape in _SHAPES:
            if found := shape.fullmatch(plain):
                return _instant(found.groupdict(), zone, end)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} will not do ({error}); {EXPECTED}") from None
    raise ValueError(f"{text!r} will not do; {EXPECTED}")


def _plain(text: str) -> str:
    """Lower case, without accents, one space where there were several."""
    letters = unicodedata.normalize("NFKD", text.replace("’", "'")).encode("ascii", "ignore").decode()
    return " ".join(letters.lower().split())


def _instant(said: dict[str, str | None], zone: ZoneInfo, end: bool) -> datetime:
    year = said["year"] or ""
    first = date(int(year) + 2000 if len(year) == 2 else int(year), _month(said) or 1, int(said.get("day") or 1))
    if not said.get("hour"):
        if said.get("offset"):
            raise ValueError("an offset needs a time")
        return _midnight(_after(first, said) if end else first, zone)
    part = int((said["part"] or "").ljust(6, "0"))
    clock = time(int(said["hour"] or 0), int(said["minute"] or 0), int(said["second"] or 0), part)
    local = datetime.combine(first, clock)
    if offset := said["offset"]:
        return datetime.fromisoformat(f"{local.isoformat()}{offset.upper()}").astimezone(UTC)
    at = local.replace(tzinfo=zone).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) != local:
        raise ValueError("the clocks leave this time out")
    return at


def _month(said: dict[str, str | None]) -> int | None:
    if name := said.get("name"):
        month = next((number for number, names in enumerate(_MONTHS, 1) if name in names), None)
        if month is None:
            raise ValueError(f"{name!r} is no month")
        return month
    return int(said["month"] or "") if said.get("month") else None


def _after(first: date, said: dict[str, str | None]) -> date:
    """The day after the day, month or year that is said."""
    if said.get("day"):
        return first + timedelta(days=1)
    if _month(said):
        return (first + timedelta(days=31)).replace(day=1)
    return date(first.year + 1, 1, 1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
