"""What a simulated meter says in mode standard (54E section 6.2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from bridge.simulated.contract import (
    TERMS,
    Contract,
    Peak,
    colour,
    is_off_peak,
    name,
    next_day,
    next_peak_day,
    peaks,
    tempo_day,
    tomorrow,
)  # fmt: skip
from bridge.simulated.registers import POWER_FACTOR, Dated, Instant, Registers, apparent, five_digits
from bridge.tic.catalogue import BY_SLUG, TEMPO_COLOURS, Mode
from bridge.tic.encode import encode_values
from bridge.tic.values import Relays, StatusRegister, Value, write_stamp

MESSAGE: Final = "COUPURE PREVUE"
_REACTIVE: Final = (2_970_842, 204_084, 84_948, 774_332)  # varh, of each quadrant
_STANDARD_OUTPUT: Final = 1 << 17 | 3 << 19 | 2 << 21 | 1 << 23  # STGE: TIC standard, Euridis secured, PLC in order


def standard_frame(now: Instant, registers: Registers, *, messaged: bool) -> bytes:
    """All there is to say; `messaged`: with the very short message, which a meter sends once."""
    known = peaks(now.plan.contract, now.local, now.plan.seed)
    values: dict[str, Value] = {
        **_identity(now), **_energies(now, registers), **_powers(now), **_calendar(now),
        "stge": _status(now, known),
    }  # fmt: skip
    stamps = {"date": _stamp(now, now.local)}
    for slug, dated in _dated(now, registers):
        values[slug], stamps[slug] = five_digits(dated.power), _stamp(now, dated.at)
    for slug, value in _peaks(now, known):
        values[slug] = value
        if isinstance(value, datetime):
            stamps[slug] = f" {value:%y%m%d%H%M%S}"  # a season is not applicable to these
    if messaged:
        values["msg2"] = MESSAGE
    return encode_values({slug: values[slug] for slug in BY_SLUG if slug in values}, stamps)


def _stamp(now: Instant, at: datetime) -> str:
    """A meter whose clock is degraded says so by a small season letter."""
    return write_stamp(at).lower() if now.plan.degraded else write_stamp(at)


def _identity(now: Instant) -> dict[str, Value]:
    return {
        "adsc": now.plan.meter_id, "vtic": "02", "date": now.local,
        "msg1": "PAS DE          MESSAGE", "prm": "00000000000000",
    }  # fmt: skip


def _energies(now: Instant, registers: Registers) -> dict[str, Value]:
    drawn = registers.drawn
    values: dict[str, Value] = {"east": sum(drawn), "easd01": sum(drawn), "easd02": 0, "easd03": 0, "easd04": 0}
    values |= {f"easf{n:02}": energy for n, energy in enumerate(drawn, start=1)}
    if now.plan.injects:
        values["eait"] = int(registers.injected)
        values |= {f"erq{n}": energy for n, energy in enumerate(_REACTIVE, start=1)}
    return values


def _powers(now: Instant) -> dict[str, Value]:
    plan = now.plan
    values: dict[str, Value] = {"pref": plan.kva, "pcoup": plan.kva, "sinsts": apparent(now.total)}
    values |= {f"irms{n}": amperes for n, amperes in now.currents.items()}
    values |= {f"urms{n}": round(volts) for n, volts in now.volts.items()}
    if plan.phases == 3:
        values |= {f"sinsts{n}": apparent(now.watts[n - 1]) for n in (1, 2, 3)}
    if plan.injects:
        values["sinsti"] = apparent(-now.total)
    return values


def _dated(now: Instant, registers: Registers) -> Iterator[tuple[str, Dated]]:
    """Maxima, load curves and mean voltages, each with its horodate."""
    for number, maximum in zip(("", "1", "2", "3") if now.plan.phases == 3 else ("",), registers.taking, strict=False):
        yield from ((f"smaxsn{number}", maximum.today), (f"smaxsn{number}_prev", maximum.before))
    yield from (("ccasn", registers.drawn_curve.last), ("ccasn_prev", registers.drawn_curve.before))
    if now.plan.injects:
        yield from (("smaxin", registers.giving.today), ("smaxin_prev", registers.giving.before))
        yield from (("ccain", registers.injected_curve.last), ("ccain_prev", registers.injected_curve.before))
    ten_minutes = now.local.replace(minute=now.local.minute // 10 * 10, second=0, microsecond=0)
    for n in range(1, now.plan.phases + 1):
        yield f"umoy{n}", Dated(now.household.volts(n, ten_minutes), ten_minutes)


def _contact_closed(now: Instant) -> bool:
    """The water heater's contact, off-peak."""
    return now.plan.contract in (Contract.HCHP, Contract.TEMPO) and is_off_peak(now.local)


def _calendar(now: Instant) -> dict[str, Value]:
    contract = now.plan.contract
    return {
        "ngtf": TERMS[contract].calendar, "ltarf": name(contract, Mode.STANDARD, now.index),
        "relais": Relays(int(_contact_closed(now))), "ntarf": now.index, "njourf": 0, "njourf_next": 0,
        "pjourf_next": next_day(contract),
    }  # fmt: skip


def _status(now: Instant, known: list[Peak]) -> StatusRegister:
    """STGE (54E section 6.2.3.14)."""
    plan = now.plan
    bits = _STANDARD_OUTPUT | (not _contact_closed(now)) | (now.index - 1) << 10 | plan.degraded << 16
    limit = plan.kva * 1000 * POWER_FACTOR
    bits |= (now.total > limit or max(now.watts) > limit / plan.phases) << 7
    if plan.injects:
        bits |= 1 << 8 | (now.total < 0) << 9
    if plan.contract is Contract.TEMPO:
        bits |= _colour_code(colour(tempo_day(now.local), plan.seed)) << 24
        bits |= _colour_code(tomorrow(now.local, plan.seed)) << 26
    for peak in known:
        bits |= peak.is_announced(now.local) * peak.number << 28 | peak.is_in_force(now.local) * peak.number << 30
    return StatusRegister(bits)


def _colour_code(said: str | None) -> int:
    return TEMPO_COLOURS.index(said) + 1 if said else 0


def _peaks(now: Instant, known: list[Peak]) -> Iterator[tuple[str, Value]]:
    """DPMn, FPMn and PPOINTE. Each number is told of one peak at a time, first of the one in force."""
    for number, peak in {peak.number: peak for peak in reversed(known)}.items():
        yield from ((f"dpm{number}", peak.begins), (f"fpm{number}", peak.ends))
        if not peak.is_in_force(now.local):
            yield "ppointe", next_peak_day(now.plan.contract, peak)
