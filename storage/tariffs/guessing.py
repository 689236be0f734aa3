"""What a meter gives away of its contract: the option, offers that fit, the off-peak hours that its indexes show."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from itertools import pairwise
from typing import Any, Final

from storage.buckets import zone_of
from storage.models import Data, Meter, Rollup
from storage.tariffs import loading
from storage.tariffs.labels import meaning
from storage.tariffs.models import IndexPeriod, Offer, Origin

_DAYS: Final = 3  # whose minutes are looked at
_MINUTES: Final = 1440
_LONGEST: Final = 60  # minutes of the day that may be unknown in a row
_OPTIONS: Final = {"base": Offer.Option.BASE, "hc": Offer.Option.HPHC, "hp": Offer.Option.HPHC,
                   "hn": Offer.Option.EJP, "pm": Offer.Option.EJP}  # fmt: skip
_SAID: Final = (("TEMPO", Offer.Option.TEMPO), ("BBR", Offer.Option.TEMPO), ("EJP", Offer.Option.EJP),
                ("CREUSE", Offer.Option.HPHC), ("HC", Offer.Option.HPHC), ("BASE", Offer.Option.BASE))  # fmt: skip


def guess_option(meter: Meter, said: Iterable[str] = ()) -> Offer.Option | None:
    """By what the meter calls its calendar (NGTF, OPTARIF), else by the periods that it named lately."""
    for word in said:
        for part, option in _SAID:
            if part in word.upper():
                return option
    found = {_option(period) for period in _periods(meter)} - {None}
    return found.pop() if len(found) == 1 else None


def _periods(meter: Meter) -> set[str]:
    rows: Any = IndexPeriod.objects.filter(meter=meter)
    learned = set(rows.select_valid().values_list("period", flat=True)) - {""}
    newest = Data.objects.filter(meter=meter, ltarf__isnull=False).order_by("-dateTime").first()
    return learned or ({meaning(newest.ltarf or "")} if newest else set())


def _option(period: str) -> Offer.Option | None:
    return Offer.Option.TEMPO if period.endswith(("_hc", "_hp")) else _OPTIONS.get(period)


def fitting(option: Offer.Option | None) -> list[Offer]:
    """Regulated offers of the option; all, while it is not known."""
    rows = Offer.objects.filter(origin=Origin.SHIPPED).exclude(option__in=(Offer.Option.RESALE, Offer.Option.OTHER))
    return list((rows if option is None else rows.filter(option=option)).order_by("name"))


def observed_slots(meter: Meter) -> list[tuple[time, time]]:
    """When off-peak hours began and ended in the last days, by the index that counted; empty: it was not seen whole."""
    newest = Rollup.objects.filter(meter=meter, step=Rollup.Step.MINUTE).order_by("-start").first()
    if newest is None:
        return []
    known, zone = loading.known(meter.pk), zone_of(meter.timezone)
    begin = int(newest.start.timestamp()) - _DAYS * 86_400
    rows = Rollup.objects.filter(meter=meter, step=Rollup.Step.MINUTE, start__gte=loading.moment(begin))
    state: list[bool | None] = [None] * _MINUTES
    for start, *counted in rows.order_by("start").values_list("start", *loading.INDEXES):
        running = [n for n, wh in enumerate(counted, 1) if wh]
        meanings = known.meanings.get(running[0]) if len(running) == 1 else None
        period = meanings.at(int(start.timestamp())) if meanings else None
        if period in ("hc", "hp"):
            local = datetime.fromtimestamp(int(start.timestamp()), UTC).astimezone(zone)
            state[local.hour * 60 + local.minute] = period == "hc"
    return [(_clock(first), _clock(end)) for first, end in runs(state)]


def runs(state: Sequence[bool | None]) -> list[tuple[int, int]]:
    """Minutes from which to which a day is off-peak, around midnight too; empty where too much is unknown."""
    told = [minute for minute, is_off in enumerate(state) if is_off is not None]
    if not told or any(b - a > _LONGEST for a, b in pairwise([*told, told[0] + len(state)])):
        return []
    edges = [b % len(state) for a, b in pairwise([*told, told[0] + len(state)]) if state[a] != state[b % len(state)]]
    starts = sorted(edge for edge in edges if state[edge])
    ends = sorted(edge for edge in edges if not state[edge])
    return [(start, next((end for end in ends if end > start), ends[0])) for start in starts]


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60)
