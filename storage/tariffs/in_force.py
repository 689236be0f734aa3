"""Under which contract a meter draws at a moment, what counts at each hour then, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Final

from storage.buckets import HOUR, zone_of
from storage.models import Meter
from storage.tariffs import loading, plans
from storage.tariffs.calendars import RULES, Facts, Plan, Stretch, stretches
from storage.tariffs.costs import DRAWN, UNKNOWN
from storage.tariffs.models import CalendarRule, Contract, IndexPeriod, Offer, OffPeakSlot, TariffPrice

_PERIODS: Final = {  # by which of them an option is told from the others
    "tempo": {f"{colour}_{hours}" for colour in ("bleu", "blanc", "rouge") for hours in ("hc", "hp")},
    "ejp": {"hn", "pm"},
    "hphc": {"hc", "hp"},
    "base": {"base"},
}


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds for a meter at a moment."""

    at: datetime
    contract: Contract | None  # None: nobody entered one
    option: str  # of its offer, else that which the meter gives away; empty: neither tells
    plan: Plan | None
    facts: Facts

    def day(self, day: date) -> list[Stretch]:
        """The hours of a day on the meter's clock, which has 23 or 25 of them twice a year."""
        if self.plan is None:
            return []
        start, end = (
            int(datetime.combine(at, time(), self.facts.zone).timestamp()) for at in (day, day + timedelta(days=1))
        )
        return stretches(self.plan, start, end, self.facts)

    def now(self) -> tuple[Stretch, Stretch | None] | None:
        """What counts now, and what comes after it, if that is less than two days away."""
        if self.plan is None:
            return None
        moment = int(self.at.timestamp())
        found = stretches(self.plan, moment // HOUR * HOUR, (moment // HOUR + 48) * HOUR, self.facts)
        number = next(n for n, one in enumerate(found) if one.end > moment)
        return found[number], found[number + 1] if number + 1 < len(found) else None

    def price(self, period: str) -> Decimal | None:
        """EUR of a kWh now."""
        agreement = self.facts.known.agreement(DRAWN, int(self.at.timestamp()))
        if agreement is None:
            return None
        return self.facts.known.price(
            agreement, TariffPrice.Kind.ENERGY, agreement.only or period, int(self.at.timestamp())
        )


def in_force(meter: Meter, at: datetime) -> InForce:
    """Ask the database."""
    contracts = Contract.objects.filter(meter=meter, direction=Contract.Direction.DRAWN).select_related("offer")
    contract = contracts.select_valid(at).first()
    facts = Facts(zone_of(meter.timezone), loading.known(meter.pk), plans.slots(meter.pk))
    if contract is not None:
        option = contract.offer.option
        return InForce(at, contract, option, plans.plans([contract.offer])[contract.offer_id], facts)
    option = _given_away(meter, at)
    if not option:
        return InForce(at, None, "", None, facts)
    rules = RULES[option]
    declared = plans.declared(Offer(option=option)) if any(rule.is_declared for rule in rules) else {}
    return InForce(at, None, option, Plan(0, option, tuple(sorted(_PERIODS[option])), rules, declared), facts)


def _given_away(meter: Meter, at: datetime) -> str:
    """The option whose periods the meter's indexes count."""
    told = IndexPeriod.objects.filter(meter=meter).select_valid(at).exclude(period__in=("", UNKNOWN))
    counted = set(told.values_list("period", flat=True))
    return next((option for option, periods in _PERIODS.items() if counted and counted <= periods), "")


def prices_of(contract: Contract, at: datetime) -> list[TariffPrice]:
    """Those that hold at a moment or come after it, of the contract's power; each series by time."""
    powers = (contract.power or 0, 0)
    rows = TariffPrice.objects.filter(offer=contract.offer, taxed=True, power__in=powers)
    rows = rows.order_by("kind", "period", "start_date", "-power")
    valid = [row for row in rows if row.end_date is None or row.end_date > at]
    own = {(row.kind, row.period) for row in valid if row.power}
    return [row for row in valid if row.power or (row.kind, row.period) not in own]


def names_of(contract: Contract | None, language: str) -> dict[str, str]:
    """What the offer calls its periods."""
    if contract is None:
        return {}
    rows = contract.offer.periods.all()
    return {row.code: row.name_fr if language.startswith("fr") else row.name_en for row in rows}


def slots_of(meter: Meter, at: datetime) -> Sequence[OffPeakSlot]:
    """The off-peak slots that hold or come."""
    rows = OffPeakSlot.objects.filter(meter=meter).order_by("start_date", "season", "begins")
    return [row for row in rows if row.end_date is None or row.end_date > at]


def rules_of(contract: Contract) -> Sequence[CalendarRule]:
    """The hours of an offer that is none of the known options."""
    return list(contract.offer.rules.order_by("rank"))
