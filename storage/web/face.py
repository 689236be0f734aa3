"""What the Now page shows, as texts: rendered by the server first, then sent piece by piece to the script.

One place formats, so the page says the same before and after its script runs.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext

from storage.web.said import Said
from storage.web.shown import UNKNOWN, amount, number, value_text
from storage.web.words import field_name, period, word

_HEADROOM: Final = 1.15  # the bar goes a little beyond its last mark, so that an overrun can be seen
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
    cutoff: float | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Face:
    """Everything that changes on the page. Keys are the template's `data-` attributes."""

    cells: dict[str, str] = field(default_factory=dict)  # texts
    marks: dict[str, str] = field(default_factory=dict)  # words that choose a colour
    shown: dict[str, bool] = field(default_factory=dict)  # parts that this meter has
    bar: Bar = Bar()
    rows: tuple[Row, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For the script."""
        return asdict(self)


def face(said: Said) -> Face:
    """Make the texts, in the language in force."""
    power, limit = said.number("sinsts"), said.subscribed
    today, tomorrow = (said.text(slug) for slug in ("tempo_today", "tempo_tomorrow"))
    now = period(said.text("ltarf", "ptec", "tariff_period") or UNKNOWN)
    cells = {
        "power": UNKNOWN if power is None else number(power),
        "share": _share(power, limit),
        "left": _left(power, limit),
        "tariff": now.name,
        "tariff_index": _running(said),
        "tempo_today": word("tempo_today", today) if today else gettext("unknown"),
        "tempo_tomorrow": word("tempo_tomorrow", tomorrow) if tomorrow else gettext("not announced yet"),
        "index": _kilowatt_hours(said.number("east")),
        "injected_power": _of(said.number("sinsti"), "VA"),
        "injected_index": _kilowatt_hours(said.number("eait")),
        **{f"phase{n}_{what}": text for n in (1, 2, 3) for what, text in _phase(said, n).items()},
    }
    cells["say"] = f"{cells['power']} VA, {now.name}"
    return Face(
        cells,
        marks={"tariff": now.kind, "tempo_today": _colour(today), "tempo_tomorrow": _colour(tomorrow)},
        shown={
            "tempo": bool(now.tempo or _colour(today) or _colour(tomorrow)),
            "phases": said.three_phase,
            "injection": said.number("eait") is not None or said.number("sinsti") is not None,
        },
        bar=_bar(power, limit, said.cutoff),
        rows=tuple(_rows(said)),
    )


def _share(power: float | None, limit: float | None) -> str:
    if power is None or not limit:
        return gettext("Subscribed power not known yet")
    return gettext("{share} of {limit} subscribed").format(
        share=amount(round(100 * power / limit), "%"), limit=amount(limit / 1000, "kVA")
    )


def _left(power: float | None, limit: float | None) -> str:
    if power is None or not limit:
        return ""
    if power > limit:
        return gettext("{power} over").format(power=amount(power - limit, "VA", 0))
    return gettext("{power} left").format(power=amount(limit - power, "VA", 0))


def _bar(power: float | None, limit: float | None, cutoff: float | None) -> Bar:
    if power is None or not limit:
        return Bar()
    full = _HEADROOM * max(limit, cutoff or 0)
    apart = cutoff is not None and cutoff != limit
    return Bar(
        fill=round(min(100.0, max(0.0, 100 * power / full)), 1),
        subscribed=round(100 * limit / full, 1),
        cutoff=round(100 * (cutoff or 0) / full, 1) if apart else None,
        over=power > limit,
    )


def _running(said: Said) -> str:
    index = said.number("ntarf")
    index = said.number("tariff_index") if index is None else index
    return gettext("index {n}").format(n=f"{index:g}") if index is not None else ""


def _kilowatt_hours(watt_hours: float | None) -> str:
    return UNKNOWN if watt_hours is None else amount(watt_hours / 1000, "kWh", 1)


def _of(value: float | None, unit: str) -> str:
    return UNKNOWN if value is None else amount(value, unit)


def _phase(said: Said, n: int) -> dict[str, str]:
    return {
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
