"""Colours and event days that the meter gave away: while an index runs, it is a day on which its period counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from storage.models import Meter
from storage.tariffs.calendars import EVENT, RULES, Facts, Plan, telling
from storage.tariffs.costs import DRAWN, Bucket
from storage.tariffs.models import EventDay, Offer, TempoDay
from storage.tariffs.plans import plans

USER: Final = "user"
_TEMPO: Final = Plan(0, "tempo", (), RULES["tempo"])


def observe(meter: Meter, hours: Sequence[Bucket], facts: Facts) -> None:
    """Record what the hours of a meter tell. It corrects what it told itself; what anybody else told stands."""
    source = f"meter ...{meter.meter_id[-4:]}"
    for day, colour in _agreed(_TEMPO, hours, facts).items():
        _tell(TempoDay, {"day": day}, {"colour": colour}, source)
    offers = Offer.objects.filter(contract__meter=meter, option__in=(Offer.Option.EJP, Offer.Option.OTHER)).distinct()
    for plan in plans(offers).values():
        mine = [hour for hour in hours if _offer(hour, facts) == plan.offer]
        for day, word in _agreed(plan, mine, facts).items() if any(rule.days == EVENT for rule in plan.rules) else ():
            _tell(EventDay, {"offer_id": plan.offer, "day": day}, {"is_event": word == EVENT}, source)


def _tell(model: Any, key: dict[str, Any], told: dict[str, Any], source: str) -> None:  # one of the two tables of days
    row, is_new = model.objects.get_or_create(**key, defaults={**told, "source": source})
    [(name, value)] = told.items()
    if not is_new and row.source == source and getattr(row, name) != value:  # not another meter's: two would never end
        setattr(row, name, value)
        row.save(update_fields=[name])


def _offer(hour: Bucket, facts: Facts) -> int | None:
    agreement = facts.known.agreement(DRAWN, hour.start)
    return None if agreement is None else agreement.offer


def _agreed(plan: Plan, hours: Sequence[Bucket], facts: Facts) -> dict[date, str]:
    """Days of which all hours that tell something tell the same."""
    said: dict[date, set[str]] = defaultdict(set)
    for hour in hours:
        told = telling(plan, hour, facts)
        if told is not None:
            said[told[0]].add(told[1])
    return {day: words.pop() for day, words in sorted(said.items()) if len(words) == 1}
