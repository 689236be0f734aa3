"""The supplier's ten indexes as parts of a bar: what each counted, in which colour."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.utils.translation import gettext

from storage.models import Meter
from storage.queries import Energy
from storage.tariffs.labels import WORDS
from storage.tariffs.models import IndexPeriod
from storage.tariffs.naming import period_names
from storage.web.periods import MARKS, place
from storage.web.words import period

_OTHERS: Final = ("other", "third", "fourth", "base", "peak", "off-peak")  # tokens of what has no meaning of its own


class Layer(NamedTuple):
    """A part of the bars, in Wh; None: not known."""

    name: str
    mark: str
    values: tuple[int | None, ...]
    below: bool = False

    @property
    def total(self) -> int:
        """Of what is known."""
        return sum(value or 0 for value in self.values)


def layers(meter: Meter, energies: Sequence[Energy], at: datetime) -> list[Layer]:
    """Each index that counted something, named by what it meant at `at`; what they do not tell; what was injected.

    Where the indexes do not add up to the total (they are not known, or one of them is not), the rest is a part too.
    """
    meanings = _meanings(meter, at)
    found = []
    for n in range(10):
        values = tuple(one.tariffs[n] for one in energies)
        if any(values):
            found.append((meanings.get(n + 1, ""), n + 1, values))
    names = period_names(meter) if any(meanings.values()) else {}
    known = sorted(found, key=lambda one: (place(one[0]), one[1]))
    drawn = [_layer(code, n, values, names.get(code, ""), nth) for nth, (code, n, values) in enumerate(known)]
    rest = tuple(_rest(one) for one in energies)
    if any(rest) or not drawn:
        drawn.append(Layer(gettext("Not told by period") if drawn else gettext("Energy"), "base", rest))
    injected = tuple(one.injected for one in energies)
    if any(injected):
        drawn.append(Layer(gettext("Injected"), "injected", injected, below=True))
    return drawn


def _rest(one: Energy) -> int | None:
    if one.drawn is None:
        return None
    return max(0, one.drawn - sum(value or 0 for value in one.tariffs))


def _layer(code: str, number: int, values: tuple[int | None, ...], name: str, nth: int) -> Layer:
    if code and code in MARKS:
        return Layer(name or period(WORDS.get(code, code)).name, MARKS[code], values)
    own = gettext("index {n}").format(n=number)
    return Layer(f"{name or code} ({own})" if code else own.capitalize(), _OTHERS[nth % len(_OTHERS)], values)


def _meanings(meter: Meter, at: datetime) -> dict[int, str]:
    """Index -> code of the price period that it counts."""
    rows = IndexPeriod.objects.select_valid(at).filter(meter=meter)
    return {row.index: row.period for row in rows}
