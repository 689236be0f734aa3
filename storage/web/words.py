"""The meter's words and ours, in the reader's language. Payloads never depend on the language; pages do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy as _in

from bridge.tic.catalogue import Field

_COLOURS: Final[Mapping[str, Promise]] = {
    "bleu": _in("Tempo day", "Blue"),
    "blanc": _in("Tempo day", "White"),
    "rouge": _in("Tempo day", "Red"),
}
_PEAKS: Final[Mapping[str, Promise]] = {
    "pm1": _("Mobile peak 1"),
    "pm2": _("Mobile peak 2"),
    "pm3": _("Mobile peak 3"),
}
_WORDS: Final[Mapping[str, Mapping[str, Promise]]] = {
    "breaker": {
        "closed": _in("breaker", "Closed (power is on)"),
        "over_power": _in("breaker", "Open: too much power drawn"),
        "over_voltage": _in("breaker", "Open: voltage too high"),
        "load_shedding": _in("breaker", "Open: load shedding"),
        "order": _in("breaker", "Open: on the distributor's order"),
        "overheating_high": _in("breaker", "Open: overheating, above its rated current"),
        "overheating_low": _in("breaker", "Open: overheating, below its rated current"),
        "unknown": _("Unknown"),
    },
    "role": {"consumer": _("Consumer"), "producer": _("Producer")},
    "energy_direction": {"drawn": _("Drawn from the grid"), "injected": _("Injected into the grid")},
    "tic_output": {"historique": _("Historical mode"), "standard": _("Standard mode")},
    "euridis": {
        "off": _in("Euridis output", "Off"),
        "open": _in("Euridis output", "On, without security"),
        "secured": _in("Euridis output", "On, with security"),
        "unknown": _("Unknown"),
    },
    "plc": {
        "new_unlock": _in("power line link", "New, unlocked"),
        "new_lock": _in("power line link", "New, locked"),
        "registered": _in("power line link", "Registered"),
        "unknown": _("Unknown"),
    },
    "optarif": {
        "BASE": _in("tariff", "Base"),
        "HC": _("Peak and off-peak"),
        "EJP": _("EJP"),
        "BBR": _("Tempo"),
    },
    "tempo_today": _COLOURS,
    "tempo_tomorrow": _COLOURS,
    "demain": _COLOURS,
    "peak": _PEAKS,
    "peak_notice": _PEAKS,
}
_CONTACTS: Final[Mapping[str, Promise]] = {
    "unchanged": _("contact unchanged"),
    "tempo": _("contact as on Tempo days"),
    "open": _("contact open"),
    "closed": _("contact closed"),
}

# What suppliers call the periods of their contracts, blanks folded. Free text: whatever is not here is shown as it is.
_PERIODS: Final[Mapping[str, tuple[str, Promise]]] = {
    "TH": ("base", _in("tariff", "Base")),
    "BASE": ("base", _in("tariff", "Base")),
    "HC": ("off-peak", _("Off-peak hours")),
    "HP": ("peak", _("Peak hours")),
    "HEURE CREUSE": ("off-peak", _("Off-peak hours")),
    "HEURE PLEINE": ("peak", _("Peak hours")),
    "HN": ("off-peak", _("Normal hours")),
    "PM": ("peak", _("Mobile peak")),
    "HEURE NORMALE": ("off-peak", _("Normal hours")),
    "POINTE MOBILE": ("peak", _("Mobile peak")),
    "HCJB": ("off-peak", _("Off-peak hours, blue day")),
    "HCJW": ("off-peak", _("Off-peak hours, white day")),
    "HCJR": ("off-peak", _("Off-peak hours, red day")),
    "HPJB": ("peak", _("Peak hours, blue day")),
    "HPJW": ("peak", _("Peak hours, white day")),
    "HPJR": ("peak", _("Peak hours, red day")),
}
_TEMPO_PERIODS: Final[Mapping[str, str]] = {
    "HC BLEU": "HCJB",
    "HP BLEU": "HPJB",
    "HC BLANC": "HCJW",
    "HP BLANC": "HPJW",
    "HC ROUGE": "HCJR",
    "HP ROUGE": "HPJR",
}
PERIOD_FIELDS: Final = frozenset({"ltarf", "ptec", "tariff_period"})


class Period(NamedTuple):
    """A tariff in force: its name, and its kind for a colour (base, peak, off-peak or other)."""

    name: str
    kind: str
    tempo: bool = False


def field_name(field: Field) -> str:
    """What a label means: the catalogue speaks French and English itself."""
    return field.fr if (get_language() or "").startswith("fr") else field.en


def word(slug: str, said: str) -> str:
    """A word of a payload."""
    if slug in PERIOD_FIELDS:
        return period(said).name
    known = _WORDS.get(slug, {}).get(said)
    return said if known is None else str(known)


def fact(slug: str, true: bool) -> str:
    """A yes or no; for a relay, what it is."""
    if slug.startswith("relay_"):
        return pgettext("relay", "Closed") if true else pgettext("relay", "Open")
    return gettext("Yes") if true else gettext("No")


def period(said: str) -> Period:
    """The tariff that a meter names."""
    short = _TEMPO_PERIODS.get(said, said)
    kind, name = _PERIODS.get(short, ("other", said))
    return Period(str(name), kind, short in _TEMPO_PERIODS.values())


def contact(said: str) -> str:
    """What a day profile does to the dry contact."""
    return str(_CONTACTS.get(said, said))


def age(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    for unit, pattern in reversed(age_patterns().items()):
        if seconds >= AGE_UNITS[unit]:
            return pattern.format(n=int(seconds // AGE_UNITS[unit]))
    return gettext("{n} s ago").format(n=0)


AGE_UNITS: Final[Mapping[str, int]] = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


def age_patterns() -> dict[str, str]:
    """`age` for the script, which counts on by itself."""
    return {
        "second": gettext("{n} s ago"),
        "minute": gettext("{n} min ago"),
        "hour": gettext("{n} h ago"),
        "day": gettext("{n} d ago"),
    }
