"""What the registers said at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from storage.dirty import milliseconds
from storage.models import Data, Meter, Register
from storage.window import REGISTERS

SILENCE: Final = timedelta(minutes=5)  # what lies in a longer one is an estimate
_NAMES: Final = (*REGISTERS, *(f"easd{n:02}" for n in range(1, 5)))
_NEAR: Final = 64  # readings that are looked at on either side, before a register is asked for alone
_FAR: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class IndexValue:
    """A register at an instant: interpolated between the readings before and after it, and surely between theirs."""

    value: int  # Wh
    low: int  # what the reading before said
    high: int  # and the one after
    before: datetime
    after: datetime | None  # None: it is the newest
    estimated: bool  # the readings are more than five minutes apart, or the index began anew between them


@dataclass(frozen=True, slots=True)
class Indexes:
    """Every register at an instant; None is one that was not said before."""

    at: datetime
    drawn: IndexValue | None
    tariffs: tuple[IndexValue | None, ...]  # the supplier's ten
    injected: IndexValue | None
    distributor: tuple[IndexValue | None, ...]  # his four

    @property
    def registers(self) -> tuple[IndexValue | None, ...]:
        """As `REGISTERS` names them."""
        return (self.drawn, *self.tariffs, self.injected)

    @property
    def estimated(self) -> bool:
        """Whether any of them is."""
        return any(value is not None and value.estimated for value in (*self.registers, *self.distributor))


@dataclass(slots=True)
class _Side:
    at: datetime
    value: int


def index_at(meter: Meter, at: datetime) -> Indexes:
    """Every register at an aware instant. Beyond the newest reading: what that one said."""
    before = _nearest(meter, at, earlier=True)
    after = _nearest(meter, at, earlier=False)
    values = [_value(at, before.get(name), after.get(name)) for name in _NAMES]
    return Indexes(at, values[0], tuple(values[1:11]), values[11], tuple(values[12:]))


def _value(at: datetime, before: _Side | None, after: _Side | None) -> IndexValue | None:
    if before is None:
        return None
    if after is None:
        late = at - before.at > SILENCE
        return IndexValue(before.value, before.value, before.value, before.at, None, late)
    first, last, now = (milliseconds(moment) for moment in (before.at, after.at, at))
    if after.value < before.value:
        return IndexValue(before.value, before.value, before.value, before.at, after.at, estimated=True)
    rise = after.value - before.value
    value = before.value + rise * (now - first) // max(1, last - first)
    estimated = bool(rise) and now > first and after.at - before.at > SILENCE
    return IndexValue(value, before.value, after.value, before.at, after.at, estimated)


def _nearest(meter: Meter, at: datetime, *, earlier: bool) -> dict[str, _Side]:
    """Of each register the nearest reading that says it: not every reading says all."""
    side: dict[str, Any] = {"dateTime__lte" if earlier else "dateTime__gt": at}
    order = "-dateTime" if earlier else "dateTime"
    rows = Data.objects.filter(meter=meter, **side).order_by(order)
    found: dict[str, _Side] = {}
    _take(found, _NAMES, rows.values_list("dateTime", *_NAMES)[:2])
    newest = Register.objects.filter(meter=meter, name__in=[name for name in _NAMES if name not in found])
    said = [register for register in newest if register.at > at]
    if earlier:
        found |= {one.name: _Side(one.at, one.value) for one in newest if one.at <= at}
    if said:
        names = [register.name for register in said]
        _take(found, names, rows.values_list("dateTime", *names)[:_NEAR])
    far: dict[str, Any] = {"dateTime__gte": at - _FAR} if earlier else {"dateTime__lte": at + _FAR}
    for name in (register.name for register in said if register.name not in found):
        lasting = rows.filter(**far, **{f"{name}__isnull": False})
        _take(found, [name], lasting.values_list("dateTime", name)[:1])
    return found


def _take(found: dict[str, _Side], names: Iterable[str], rows: Iterable[tuple[Any, ...]]) -> None:  # columns' values
    for at, *values in rows:
        for name, value in zip(names, values, strict=True):
            if value is not None and name not in found:
                found[name] = _Side(at, value)
