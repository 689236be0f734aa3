"""One small converter per quantity: the meter's characters to a typed value, and back.

Sources: Enedis-NOI-CPT_54E v3, sections 6.2.1 and 6.2.3 (standard) and 6.1 (historique).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from bridge.tic.catalogue import TEMPO_COLOURS, Field, Quantity
from bridge.tic.errors import GroupError, Reason

PARIS: Final = ZoneInfo("Europe/Paris")
WINTER: Final = timezone(timedelta(hours=1))
SUMMER: Final = timezone(timedelta(hours=2))
_SECONDS: Final = {f"{n:02}": timedelta(seconds=n) for n in range(60)}
_SEASONS: Final[Mapping[str, timezone]] = MappingProxyType({"H": WINTER, "h": WINTER, "E": SUMMER, "e": SUMMER})


class Stamp(NamedTuple):
    """A horodate: the 13 characters as sent, the aware instant, and whether the meter doubts its clock."""

    raw: str
    at: datetime
    degraded: bool


def read_stamp(raw: str, zone: tzinfo = PARIS) -> Stamp:
    """Read `SAAMMJJhhmmss`.

    In French legal time the season letter alone gives the offset, even where it contradicts the calendar; a blank
    season (DPMn, FPMn) and every other zone follow the zone's own rules.
    """
    second = _SECONDS.get(raw[11:])
    if second is None:
        raise GroupError(Reason.STAMP)
    return Stamp(raw, _minute(raw[:11], zone) + second, raw[0] in "he")


@lru_cache(maxsize=256)
def _minute(raw: str, zone: tzinfo) -> datetime:
    """The minute that `SAAMMJJhhmm` names; DATE, sent each second, needs it made once."""
    season, digits = raw[:1], raw[1:]
    if season not in "HEhe " or not (digits.isascii() and digits.isdigit()):
        raise GroupError(Reason.STAMP)
    offset = _SEASONS.get(season, zone) if zone is PARIS else zone
    try:
        return datetime.fromisoformat(f"20{digits[:6]}T{digits[6:]}").replace(tzinfo=offset)
    except ValueError:
        raise GroupError(Reason.STAMP) from None


def write_stamp(at: datetime) -> str:
    """Write an aware instant as the meter would, in French legal time."""
    local = at.astimezone(PARIS)
    season = "E" if local.utcoffset() == timedelta(hours=2) else "H"
    return f"{season}{local:%y%m%d%H%M%S}"


_BREAKER: Final = (
    "closed", "over_power", "over_voltage", "load_shedding", "order", "overheating_high", "overheating_low", "unknown",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StatusRegister:
    """STGE: 32 bits, each with its name (54E section 6.2.3.14). An undefined code reads "unknown" or None."""

    bits: int

    def __str__(self) -> str:
        return f"{self.bits:08X}"

    def _part(self, low: int, width: int = 1) -> int:
        return self.bits >> low & (1 << width) - 1

    @property
    def dry_contact_closed(self) -> bool:
        """Bit 0, which says the opposite: 1 is open."""
        return not self._part(0)

    @property
    def breaker(self) -> str:
        """Bits 1 to 3: closed, or why it is open."""
        return _BREAKER[self._part(1, 3)]

    @property
    def terminal_cover(self) -> bool:
        """Bit 4: the cover of the terminals is open."""
        return bool(self._part(4))

    @property
    def overvoltage(self) -> bool:
        """Bit 6: on at least one phase."""
        return bool(self._part(6))

    @property
    def over_power(self) -> bool:
        """Bit 7: above the subscribed power (PREF)."""
        return bool(self._part(7))

    @property
    def role(self) -> str:
        """Bit 8."""
        return ("consumer", "producer")[self._part(8)]

    @property
    def energy_direction(self) -> str:
        """Bit 9: the sign of active energy."""
        return ("drawn", "injected")[self._part(9)]

    @property
    def tariff_index(self) -> int | None:
        """Bits 10 to 13: number of the supplier index in force, 1 to 10."""
        code = self._part(10, 4)
        return code + 1 if code < 10 else None

    @property
    def distributor_tariff(self) -> int:
        """Bits 14 and 15: number of the distributor index in force, 1 to 4."""
        return self._part(14, 2) + 1

    @property
    def clock_degraded(self) -> bool:
        """Bit 16: the meter lost its clock and was not set again."""
        return bool(self._part(16))

    @property
    def tic_output(self) -> str:
        """Bit 17."""
        return ("historique", "standard")[self._part(17)]

    @property
    def euridis(self) -> str:
        """Bits 19 and 20; code 2 is not defined."""
        return ("off", "open", "unknown", "secured")[self._part(19, 2)]

    @property
    def plc(self) -> str:
        """Bits 21 and 22; code 3 is not defined."""
        return ("new_unlock", "new_lock", "registered", "unknown")[self._part(21, 2)]

    @property
    def plc_synchronised(self) -> bool:
        """Bit 23."""
        return bool(self._part(23))

    @property
    def tempo_today(self) -> str | None:
        """Bits 24 and 25; None is "not announced"."""
        return (None, *TEMPO_COLOURS)[self._part(24, 2)]

    @property
    def tempo_tomorrow(self) -> str | None:
        """Bits 26 and 27; None is "not announced"."""
        return (None, *TEMPO_COLOURS)[self._part(26, 2)]

    @property
    def peak_notice(self) -> str | None:
        """Bits 28 and 29: a mobile peak is announced."""
        return (None, "pm1", "pm2", "pm3")[self._part(28, 2)]

    @property
    def peak(self) -> str | None:
        """Bits 30 and 31: a mobile peak is in force."""
        return (None, "pm1", "pm2", "pm3")[self._part(30, 2)]


ALL_RELAYS: Final = 0xFF


@dataclass(frozen=True, slots=True)
class Relays:
    """RELAIS: 8 relays, bit 0 is relay 1, the real dry contact; 1 is closed (54E section 6.2.3.19)."""

    bits: int

    def __str__(self) -> str:
        return str(self.bits)

    def closed(self, number: int) -> bool:
        """Whether relay `number` (1 to 8) is closed."""
        return bool(self.bits >> (number - 1) & 1)


@dataclass(frozen=True, slots=True)
class PhaseLoss:
    """PPOT: bit n set means that phase n is missing (54E section 6.1)."""

    bits: int

    def __str__(self) -> str:
        return f"{self.bits:02X}"

    @property
    def missing(self) -> tuple[int, ...]:
        """The numbers of the missing phases."""
        return tuple(n for n in (1, 2, 3) if self.bits >> n & 1)


_HEX: Final = "0123456789ABCDEF"
_CONTACTS: Final = ("unchanged", "tempo", "open", "closed")
_FREE: Final = "NONUTILE"


@dataclass(frozen=True, slots=True)
class Switch:
    """One block of a day profile: from `at` (`HH:MM`) on, this supplier index and these contacts."""

    at: str
    bits: int

    @property
    def index(self) -> int | None:
        """Supplier index 1 to 10, or None for "unchanged"."""
        code = self.bits & 0xF
        return code if 1 <= code <= 10 else None

    @property
    def contact(self) -> str:
        """The dry contact: unchanged, tempo, open or closed."""
        return _CONTACTS[self.bits >> 14]

    @property
    def virtual(self) -> tuple[int, ...]:
        """The virtual contacts (1 to 7) that this block closes."""
        return tuple(n for n in range(1, 8) if self.bits >> (n + 3) & 1)


@dataclass(frozen=True, slots=True)
class DayProfile:
    """PJOURF+1 or PPOINTE: the switches of a day (54E section 6.2.3.22), kept as the text of the blocks in use."""

    text: str

    def __str__(self) -> str:
        return self.text

    @classmethod
    def of(cls, switches: Iterable[Switch]) -> DayProfile:
        """The profile that these switches make."""
        return cls(" ".join(f"{s.at[:2]}{s.at[3:]}{s.bits:04X}" for s in switches))

    @property
    def switches(self) -> tuple[Switch, ...]:
        """When what is switched, in the order sent."""
        return tuple(Switch(f"{b[:2]}:{b[2:4]}", int(b[4:], 16)) for b in self.text.split())


Value = int | str | bool | float | datetime | StatusRegister | Relays | PhaseLoss | DayProfile | None
Json = int | str | bool | float | None | list[dict[str, "int | str | list[int] | None"]]


def to_json(value: Value) -> Json:
    """The value as JSON: numbers stay numbers, instants are ISO 8601 with offset, registers are hexadecimal."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, DayProfile):
        return [
            {"at": s.at, "index": s.index, "contact": s.contact, "virtual": list(s.virtual)} for s in value.switches
        ]
    if isinstance(value, Relays):
        return value.bits
    if isinstance(value, StatusRegister | PhaseLoss):
        return str(value)
    return value


# --- reading -------------------------------------------------------------------------------------


def _exact(field: Field, raw: str) -> str:
    if len(raw) != field.digits:
        raise GroupError(Reason.LENGTH)
    return raw


def _digits(field: Field, raw: str) -> str:
    if not (_exact(field, raw).isascii() and raw.isdigit()):
        raise GroupError(Reason.CHARACTERS)
    return raw


def _read_int(field: Field, raw: str) -> int:
    value = int(_digits(field, raw))
    if field.limits is not None and not field.limits[0] <= value <= field.limits[1]:
        raise GroupError(Reason.VALUE)
    return value


def fold(text: str) -> str:
    """Free text, padded as the supplier likes: runs of blanks are folded, the ends stripped."""
    return " ".join(text.split())


def _read_text(field: Field, raw: str) -> str:
    return fold(_exact(field, raw))


def _read_word(field: Field, raw: str) -> str | None:
    words = field.words or {}
    # OPTARIF ends in a programme character, "BBR(": its first three letters are the option (54E section 6.1).
    for key in (_exact(field, raw), raw[:3]):
        if key in words:
            return words[key]
    raise GroupError(Reason.VALUE)


def _hexadecimal(field: Field, raw: str) -> int:
    if _exact(field, raw).strip(_HEX):  # what is left holds a character that is none of these
        raise GroupError(Reason.CHARACTERS)
    return int(raw, 16)


def _read_relays(field: Field, raw: str) -> Relays:
    bits = _read_int(field, raw)
    if bits > ALL_RELAYS:
        raise GroupError(Reason.VALUE)
    return Relays(bits)


_BLOCK: Final = "(?:[01][0-9]|2[0-3])[0-5][0-9][0-9A-F]{4}"
_IN_USE: Final = re.compile(f"{_BLOCK}(?: {_BLOCK}){{0,10}}")
_MOST: Final = 11  # blocks of 8 characters, one blank between
_FREE_BLOCK: Final = f" {_FREE}"
_FREE_TAILS: Final = frozenset(_FREE_BLOCK * number for number in range(_MOST))


def _read_profile(_field: Field, raw: str) -> DayProfile:
    """1 to 11 blocks; some meters send fewer than 11. Those that are not in use come last, as far as is known."""
    used, free, rest = raw.partition(_FREE_BLOCK)
    if len(raw) >= _MOST * 9 or free + rest not in _FREE_TAILS or not _IN_USE.fullmatch(used):
        used = _read_blocks(raw.split(" "))
    return DayProfile(used)


def _read_blocks(blocks: list[str]) -> str:
    """The blocks in use, in whatever order they come, or what is wrong with them."""
    if len(blocks) > _MOST or any(len(block) != 8 for block in blocks):
        raise GroupError(Reason.LENGTH)
    used = [block for block in blocks if block != _FREE]
    if any(not block[:4].isdecimal() or block[4:].strip(_HEX) or not block.isascii() for block in used):
        raise GroupError(Reason.CHARACTERS)
    if not all(_IN_USE.fullmatch(block) for block in used):
        raise GroupError(Reason.VALUE)
    return " ".join(used)


def _no_value(field: Field, raw: str) -> None:
    """An instant's value is its horodate; the data is empty (DATE) or two characters (DPMn, FPMn)."""
    _exact(field, raw)


_READ: Final[Mapping[Quantity, Callable[[Field, str], Value]]] = MappingProxyType({
    Quantity.IDENTIFIER: _digits,
    Quantity.TEXT: _read_text,
    Quantity.WORD: _read_word,
    Quantity.INSTANT: _no_value,
    Quantity.STATUS_REGISTER: lambda field, raw: StatusRegister(_hexadecimal(field, raw)),
    Quantity.PHASE_LOSS: lambda field, raw: PhaseLoss(_hexadecimal(field, raw)),
    Quantity.RELAYS: _read_relays,
    Quantity.DAY_PROFILE: _read_profile,
})  # fmt: skip


NUMERIC: Final = frozenset(Quantity) - _READ.keys()  # what is read as a whole number


def read_value(field: Field, raw: str, stamp: Stamp | None) -> Value:
    """The typed value of a label's data; `GroupError` when length or characters are not the label's."""
    value = _READ.get(field.quantity, _read_int)(field, raw)
    return stamp.at if stamp is not None and field.quantity is Quantity.INSTANT else value


# --- writing (the mirror) ------------------------------------------------------------------------


def _write_word(field: Field, value: Value) -> str:
    raw = next(raw for raw, word in (field.words or {}).items() if word == value)
    return raw.ljust(field.digits, "(")


def _write_profile(value: DayProfile) -> str:
    blocks = str(value).split()
    return " ".join(blocks + [_FREE] * (_MOST - len(blocks)))


def write_value(field: Field, value: Value) -> str:
    """The characters that the meter sends for `value`."""
    if isinstance(value, DayProfile):
        return _write_profile(value)
    if field.quantity is Quantity.WORD:
        return _write_word(field, value)
    if field.quantity is Quantity.INSTANT:
        return "0" * field.digits
    if field.quantity is Quantity.TEXT:
        return str(value).center(field.digits)
    return str(value).zfill(field.digits)
