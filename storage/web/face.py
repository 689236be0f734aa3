"""What the Now page shows, as texts: rendered by the server first, then sent piece by piece to the script.

One place formats, so the page says the same before and after its script runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext

from bridge.derived.breaker import LEVEL
from storage.web.said import LINKY_VOLT, Said
from storage.web.shown import UNKNOWN, amount, number, until, value_text
from storage.web.words import field_name, period, word

_HEADROOM: Final = 1.15  # the bar goes a little beyond its last mark, so that an overrun can be seen
_SOON: Final = 90  # seconds that are not told in minutes
_COLOURS: Final = ("bleu", "blanc", "rouge")


class Row(NamedTuple):
    """One line of the table of labels."""

    key: str
    label: str  # empty: we computed it
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Power against what may be drawn, in percent of the bar's length."""

    fill: float = 0.0
    subscribed: float | None = None
    breaker: float | None = None  # below it the breaker never opens
    over: bool = False


class _Load(NamedTuple):
    """What is drawn of what may be drawn, in VA, by all of the meter or by one of its phases."""

    power: float | None
    limit: float | None
    breaker: float | None
    phase: int | None = None

    @property
    def left(self) -> float | None:
        return None if self.power is None or not self.limit else self.limit - self.power

    @property
    def bar(self) -> Bar:
        if self.power is None or not self.limit:
            return Bar()
        full = _HEADROOM * max(self.limit, self.breaker or 0)
        return Bar(
            fill=round(min(100.0, max(0.0, 100 * self.power / full)), 1),
            subscribed=round(100 * self.limit / full, 1),
            breaker=None if self.breaker is None else round(100 * self.breaker / full, 1),
            over=self.power > self.limit,
        )


@dataclass(frozen=True, slots=True)
class Face:
    """Everything that changes on the page. Keys are the template's `data-` attributes."""

    cells: dict[str, str] = field(default_factory=dict)  # texts
    marks: dict[str, str] = field(default_factory=dict)  # words that choose a colour
    shown: dict[str, bool] = field(default_factory=dict)  # parts that this meter has
    bars: tuple[Bar, ...] = (Bar(),)  # of the meter, then of each of its phases
    rows: tuple[Row, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the script."""
        return asdict(self)


def face(said: Said) -> Face:
    """Make the texts, in the language in force."""
    loads = _loads(said)
    power, limit = loads[0].power, loads[0].limit
    today, tomorrow = (said.text(slug) for slug in ("tempo_today", "tempo_tomorrow"))
    now = period(said.text("ltarf", "ptec", "tariff_period") or UNKNOWN)
    cells = {
        "power": UNKNOWN if power is None else number(power),
        "share": _share(power, limit),
        "left": _trip(said) or _left(loads),
        "margin": _margin(said),
        "tariff": now.name,
        "tariff_index": _running(said),
        "tempo_today": word("tempo_today", today) if today else gettext("unknown"),
        "tempo_tomorrow": word("tempo_tomorrow", tomorrow) if tomorrow else gettext("not announced yet"),
        "index": _kilowatt_hours(said.number("east")),
        "injected_power": _of(said.number("sinsti"), "VA"),
        "injected_index": _kilowatt_hours(said.number("eait")),
        **{f"phase{n}_{what}": text for n in (1, 2, 3) for what, text in _phase(said, n, loads).items()},
    }
    change = until(said.text("next_tariff_change"), said.at, said.zone)
    if change:  # else the page says what the slots of the contract tell
        cells["until"] = change
    cells["say"] = f"{cells['power']} VA, {now.name}"
    return Face(
        cells,
        marks={
            "tariff": now.kind,
            "risk": "trip" if _trip(said) else "over" if any(load.bar.over for load in loads) else "",
            "tempo_today": _colour(today),
            "tempo_tomorrow": _colour(tomorrow),
        },
        shown={
            "tempo": bool(now.tempo or _colour(today) or _colour(tomorrow)),
            "phases": said.three_phase,
            "injection": said.number("eait") is not None or said.number("sinsti") is not None,
        },
        bars=tuple(load.bar for load in loads),
        rows=tuple(_rows(said)),
    )


def _share(power: float | None, limit: float | None) -> str:
    if power is None or not limit:
        return gettext("Subscribed power not known yet")
    return gettext("{share} of {limit} subscribed").format(
        share=amount(round(100 * power / limit), "%"), limit=amount(limit / 1000, "kVA")
    )


def _loads(said: Said) -> tuple[_Load, ...]:
    """Of the whole meter, then of its phases: each may draw a third, and one alone opens the breaker."""
    breaker = None if said.cutoff is None else LEVEL * said.cutoff
    whole = _Load(said.number("sinsts"), said.subscribed, breaker)
    if not said.three_phase:
        return (whole,)
    limit, level = (None if of is None else of / 3 for of in (said.subscribed, breaker))
    return whole, *(_Load(_phase_power(said, n), limit, level, n) for n in (1, 2, 3))


def _phase_power(said: Said, n: int) -> float | None:
    """Mode historique tells the current of a phase alone: as the Linky computes what may be drawn of it."""
    power, current = said.number(f"sinsts{n}"), said.number(f"irms{n}")
    if power is None and current is not None and said.number("isousc") is not None:
        return current * LINKY_VOLT
    return power


def _left(loads: Iterable[_Load]) -> str:
    """Of the phase that has least left; of the meter where no phase speaks for itself."""
    whole, *phases = [load for load in loads if load.phase is None or load.left is not None]
    load = min(phases, key=lambda one: one.left or 0.0, default=whole)
    if load.left is None:
        return ""
    power = amount(abs(load.left), "VA", 0)
    if load.phase is None:
        return (gettext("{power} over") if load.left < 0 else gettext("{power} left")).format(power=power)
    text = gettext("phase {n}: {power} over") if load.left < 0 else gettext("phase {n}: {power} left")
    return text.format(n=load.phase, power=power)


def _trip(said: Said) -> str:
    """How long the breaker holds at this power; empty: for ever, as far as is known."""
    seconds = said.number("breaker_seconds_to_trip")
    if seconds is None:
        return ""
    if seconds < _SOON:
        return gettext("the breaker opens in about {n} s").format(n=max(5, round(seconds / 5) * 5))
    return gettext("the breaker opens in about {n} min").format(n=round(seconds / 60))


def _margin(said: Said) -> str:
    margin = said.number("breaker_margin")
    if margin is None:
        return ""
    text = gettext("Breaker (dashed): {power} more on the fullest phase") if said.three_phase else ""
    return (text or gettext("Breaker (dashed): {power} more")).format(power=amount(margin, "VA", 0))


def _running(said: Said) -> str:
    index = said.number("ntarf")
    index = said.number("tariff_index") if index is None else index
    return gettext("index {n}").format(n=f"{index:g}") if index is not None else ""


def _kilowatt_hours(watt_hours: float | None) -> str:
    return UNKNOWN if watt_hours is None else amount(watt_hours / 1000, "kWh", 1)


def _of(value: float | None, unit: str) -> str:
    return UNKNOWN if value is None else amount(value, unit)


def _phase(said: Said, n: int, loads: Sequence[_Load]) -> dict[str, str]:
    load = loads[n] if n < len(loads) else _Load(None, None, None)
    share = UNKNOWN if load.power is None or not load.limit else amount(round(100 * load.power / load.limit), "%")
    return {
        "share": share,
        "power": _of(said.number(f"sinsts{n}"), "VA"),
        "current": _of(said.number(f"irms{n}"), "A"),
        "voltage": _of(said.number(f"urms{n}"), "V"),
    }


def _colour(said: str | None) -> str:
    return said if said in _COLOURS else ""


def _rows(said: Said) -> list[Row]:
    rows = [
        Row(
            key,
            row.label or "",
            field_name(row),
            value_text(row, said.values[key], said.zone, said.stamps.get(key)),
        )
        for key, row in said.ordered()
    ]
    return rows + [Row(f"extra {key}", key, gettext("Label unknown to us"), text) for key, text in said.extra.items()]
