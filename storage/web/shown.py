"""One value of the meter as text for a person: number format, unit and words of the reader's language.

Values come from outside, so any JSON value may stand for any field: what is not of the expected type is shown as is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext

from bridge.tic.catalogue import Field, Quantity
from bridge.tic.errors import GroupError
from bridge.tic.values import read_stamp
from storage.web.words import contact, fact, word

UNKNOWN: Final = "–"
_HIDDEN: Final = "\N{BULLET}"
_LEFT: Final = 4  # characters of a personal number that are shown
_SPACE: Final = "\N{NO-BREAK SPACE}"


def number(value: float, decimals: int | None = None) -> str:
    """Grouped by thousands as the language does."""
    if decimals is None and isinstance(value, float):
        decimals = 0 if value.is_integer() else 1
    rounded = value if decimals is None else round(value, decimals)  # Django alone would cut, not round
    return number_format(rounded, decimals, use_l10n=True, force_grouping=True)


def amount(value: float, unit: str, decimals: int | None = None) -> str:
    """A number that is never parted from its unit."""
    return f"{number(value, decimals)}{_SPACE}{unit}" if unit else number(value, decimals)


def moment(at: datetime, zone: tzinfo) -> str:
    """Day and time, in the meter's zone."""
    return date_format(timezone.localtime(at, zone), "j N Y H:i")


def clock(at: datetime, zone: tzinfo) -> str:
    """The time of day, in the meter's zone."""
    return date_format(timezone.localtime(at, zone), "H:i")


def until(said: str | datetime | None, now: datetime, zone: tzinfo) -> str:
    """Until when something lasts, as one says it; empty when that is not known, or past."""
    try:
        end = datetime.fromisoformat(said) if isinstance(said, str) else said
        if end is None or end.tzinfo is None or end <= now:
            return ""
        day, today = timezone.localtime(end, zone).date(), timezone.localtime(now, zone).date()
    except (ValueError, OverflowError):
        return ""
    if day == today:
        return gettext("until {time}").format(time=clock(end, zone))
    if day == today + timedelta(days=1):
        return gettext("until tomorrow, {time}").format(time=clock(end, zone))
    return gettext("until {day}, {time}").format(day=date_format(day, "l j F"), time=clock(end, zone))


def euros(value: Decimal | None, decimals: int = 2) -> str:
    """Money, to the cent; a price of a kWh needs more places."""
    if value is None:
        return UNKNOWN
    return f"{number_format(round(value, decimals), decimals, use_l10n=True, force_grouping=True)}{_SPACE}€"


def energy(watt_hours: int | None) -> str:
    """kWh to a tenth."""
    return UNKNOWN if watt_hours is None else amount(watt_hours / 1000, "kWh", 1)


def length(seconds: float) -> str:
    """How long, in its two largest units: 3 h 12 min."""
    rest = round(seconds)
    parts: list[str] = []
    for unit, pattern in (
        (86_400, gettext("{n} d")), (3600, gettext("{n} h")), (60, gettext("{n} min")), (1, gettext("{n} s")),
    ):  # fmt: skip
        count, rest = divmod(rest, unit)
        if parts:
            return " ".join([*parts, *([_kept(pattern, count)] if count else [])])
        if count:
            parts.append(_kept(pattern, count))
    return parts[0] if parts else _kept(gettext("{n} s"), 0)


def _kept(pattern: str, count: int) -> str:
    return pattern.format(n=count).replace(" ", _SPACE)


def size(count: float) -> str:
    """Bytes, in the unit that fits."""
    units = (gettext("B"), gettext("kB"), gettext("MB"), gettext("GB"))
    power = 0
    while count >= 1000 and power < len(units) - 1:
        count, power = count / 1000, power + 1
    return amount(count, units[power], 0 if count >= 100 or not power else 1)


def value_text(field: Field, value: Any, zone: tzinfo, stamp: str | None = None) -> str:  # any JSON value
    """A value of a field, and since when if it is dated."""
    if value is None:
        return UNKNOWN
    if field.personal:
        return personal(str(value))
    text = _TEXT.get(field.quantity, _plain)(field, value, zone) or UNKNOWN
    if stamp is None or field.quantity is Quantity.INSTANT:
        return text
    when = _stamp(stamp, zone)
    return f"{text} ({when})" if when else text


def personal(number: str) -> str:
    """A number that names its owner: its end alone, unless `publish.personal` is on."""
    return number if settings.TICBRIDGE.publish.personal else _HIDDEN * len(number[:-_LEFT]) + number[-_LEFT:]


def _plain(field: Field, value: Any, _: tzinfo) -> str:  # as above
    if isinstance(value, bool):
        return fact(field.slug, value)
    if isinstance(value, int | float):
        return amount(value, "" if field.quantity is Quantity.RATE else field.unit)  # its name says "per minute"
    return str(value)


def _number(field: Field, value: Any, zone: tzinfo) -> str:  # as above
    """A number that counts nothing: no thousands."""
    return str(value) if type(value) is int else _plain(field, value, zone)


def _word(field: Field, value: Any, zone: tzinfo) -> str:  # as above
    return word(field.slug, value) if isinstance(value, str) else _plain(field, value, zone)


def _instant(field: Field, value: Any, zone: tzinfo) -> str:  # as above
    try:
        return moment(datetime.fromisoformat(value), zone)
    except (TypeError, ValueError, OverflowError):
        return _plain(field, value, zone)


def _relays(field: Field, value: Any, zone: tzinfo) -> str:  # as above
    if type(value) is not int:
        return _plain(field, value, zone)
    closed = ", ".join(str(n) for n in range(1, 9) if value >> (n - 1) & 1)
    return gettext("closed: {relays}").format(relays=closed) if closed else gettext("all open")


def _profile(field: Field, value: Any, zone: tzinfo) -> str:  # as above
    if not isinstance(value, list):
        return _plain(field, value, zone)
    switches = (switch.model_dump() if hasattr(switch, "model_dump") else switch for switch in value)
    return "; ".join(_switch(switch) for switch in switches)


def _switch(switch: Mapping[str, Any]) -> str:  # as above
    index = gettext("index {n}").format(n=switch["index"]) if switch["index"] else gettext("same index")
    parts = [f"{switch['at']} {index}"]
    if switch["contact"] != "unchanged":
        parts.append(contact(switch["contact"]))
    return ", ".join(parts)


def _stamp(raw: str, zone: tzinfo) -> str:
    try:
        return moment(read_stamp(raw).at, zone)
    except (GroupError, OverflowError):
        return ""


_TEXT: Final[Mapping[Quantity, Callable[[Field, Any, tzinfo], str]]] = {
    Quantity.WORD: _word,
    Quantity.TEXT: _word,
    Quantity.NUMBER: _number,
    Quantity.INSTANT: _instant,
    Quantity.RELAYS: _relays,
    Quantity.DAY_PROFILE: _profile,
}
