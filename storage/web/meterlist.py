"""Many meters as lines: what each says now and drew lately, searched, sorted, in pages."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any, Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from storage.buckets import zone_of
from storage.groups import Tree
from storage.models import Meter
from storage.queries.many import Total, by_meter, with_newest
from storage.rights import Rights
from storage.web.hub import Hub

ONLINE: Final = "online"
OFFLINE: Final = "offline"
NEVER: Final = "never"
STATES: Final[dict[str, Promise]] = {
    ONLINE: _("online"), OFFLINE: _("offline"), NEVER: _("never heard"),
}  # fmt: skip
_SILENT: Final = 300.0  # seconds without a reading after which a meter counts as offline, unless a bridge says more
_MISSED: Final = 3  # readings of `reading.interval` that may be missed meanwhile

# By the word in the address: what it is called, and whether it needs every meter's energy.
SORTS: Final[dict[str, tuple[Promise, bool]]] = {
    "name": (_("name"), False),
    "group": (_("group"), False),
    "state": (_("state: silent ones first"), False),
    "power": (_("power now"), False),
    "today": (_("energy of today"), True),
    "month": (_("energy of the month"), True),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A meter of the list."""

    meter: Meter
    place: int  # in the owner's order
    group: str  # with those around it
    state: str
    age: float | None  # seconds since its newest reading
    power: float | None  # VA, while it is online
    today: Total | None = None
    month: Total | None = None

    @property
    def said_state(self) -> Promise:
        return STATES[self.state]

    @property
    def last4(self) -> str:
        """The end of its number: what stands on a label, and no more than that."""
        return self.meter.meter_id[-4:]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for."""

    text: str = ""
    group: int | None = None
    state: str = ""
    sort: str = "name"


def lines(rights: Rights, tree: Tree, wanted: Wanted, hub: Hub | None, now: datetime) -> list[Line]:
    """The meters that are asked for, all of them, without their energy."""
    rows = rights.meters()
    if wanted.group is not None:
        rows = rows.filter(group__in=tree.within([wanted.group]))
    text = _folded(wanted.text)
    names = {pk: tree.name(pk) for pk in tree.nodes}
    found = []
    for place, row in enumerate(with_newest(rows)):
        group = names.get(row.group_id, "")
        if text and text not in _folded(f"{row.name} {row.meter_id} {group}"):
            continue
        line = _line(row, place, group, hub, now)
        if wanted.state in ("", line.state):
            found.append(line)
    return found


def _line(row: Any, place: int, group: str, hub: Hub | None, now: datetime) -> Line:  # annotated by `with_newest`
    age = None if row.newest_at is None else max(0.0, (now - row.newest_at).total_seconds())
    power, online = row.newest_power, None
    heard = hub.last(row.meter_id) if hub is not None else None
    if heard is not None:
        online = heard.online
        if heard.envelope is not None:
            age = monotonic() - heard.at
            power = _power(heard.envelope.values)
    if online is None and age is not None:
        online = age <= max(_SILENT, _MISSED * settings.TICBRIDGE.reading.interval)
    state = NEVER if age is None else ONLINE if online else OFFLINE
    return Line(row, place, group, state, age, power if state == ONLINE else None)


def _power(values: dict[str, Any]) -> float | None:
    """Of a live reading, in either mode."""
    found = values.get("sinsts", values.get("papp"))
    return found if isinstance(found, int | float) and not isinstance(found, bool) else None


def sorted_by(found: Sequence[Line], wanted: Wanted, now: datetime) -> list[Line]:
    """In the order that is asked for; what is not known comes last."""
    own = with_energy(found, now) if SORTS[wanted.sort][1] else list(found)
    return sorted(own, key=_KEYS[wanted.sort])


_KEYS: Final[dict[str, Callable[[Line], Any]]] = {
    "name": lambda line: line.place,
    "group": lambda line: (line.group == "", line.group, line.place),
    "state": lambda line: (line.state == ONLINE, line.state == NEVER, line.place),
    "power": lambda line: (line.power is None, -(line.power or 0), line.place),
    "today": lambda line: _most(line.today, line.place),
    "month": lambda line: _most(line.month, line.place),
}


def _most(total: Total | None, place: int) -> tuple[bool, int, int]:
    drawn = None if total is None else total.drawn
    return drawn is None, -(drawn or 0), place


def with_energy(found: Sequence[Line], now: datetime) -> list[Line]:
    """The same lines with what each drew today and in this month."""
    if all(line.month is not None for line in found):
        return list(found)
    today = energies([line.meter for line in found], now, lambda day: day)
    month = energies([line.meter for line in found], now, lambda day: day.replace(day=1))
    return [replace(line, today=today[line.meter.pk], month=month[line.meter.pk]) for line in found]


def energies(meters: Iterable[Meter], now: datetime, since: Callable[[date], date]) -> dict[int, Total]:
    """What each drew since a day before its own today."""
    by_today: dict[date, list[Meter]] = {}
    for meter in meters:
        by_today.setdefault(now.astimezone(zone_of(meter.timezone)).date(), []).append(meter)
    found: dict[int, Total] = {}
    for today, own in by_today.items():
        found |= by_meter(own, since(today), today, now)
    return found


def _folded(text: str) -> str:
    """Small letters without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if not unicodedata.combining(c)).strip()
