"""Energy, costs, habits and gaps of a household."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from storage import queries
from storage.answers.question import Asked, MomentQuestion, SpanQuestion, refused
from storage.models import Gap
from storage.queries import Cell, Energy, IndexValue, Peak, Standby
from storage.tariffs.comparison import Need, Quote
from storage.tariffs.daily import Costs, costs_by
from storage.tariffs.daily import costs as all_costs
from storage.tariffs.offers import compare_offers

_MOST_DAYS = 366 * 3


class TotalsQuestion(SpanQuestion):
    """Energy, whole or part by part."""

    by: Literal["day", "month", "tempo_day"] | None = Field(
        None, description="Whole local days, months or Tempo days (06:00 to 06:00); else one sum, to the second."
    )


class TotalsAnswer(BaseModel):
    """Energy in Wh; None is not known."""

    meter: str
    totals: tuple[Energy, ...]


def totals(asked: Asked, question: TotalsQuestion) -> TotalsAnswer:
    """Energy drawn, of each supplier index, and injected."""
    begins, ends = asked.span(question)
    if question.by is None:
        found: tuple[Energy, ...] = (queries.totals(asked.meter, begins, ends),)
    else:
        first, last = asked.days(question)
        _bound(first, last)
        ask = {"day": queries.days, "month": queries.months, "tempo_day": queries.tempo_days}[question.by]
        found = ask(asked.meter, first, last)
    return TotalsAnswer(meter=asked.meter.meter_id, totals=found)


class CostsQuestion(SpanQuestion):
    """Whole local days, together or part by part."""

    by: Literal["day", "month"] | None = Field(None, description="Each day or calendar month; else one sum.")


class CostsAnswer(BaseModel):
    """EUR; None is not known, and then `complete` is false."""

    meter: str
    currency: str = "EUR"
    costs: tuple[Costs, ...]


def costs(asked: Asked, question: CostsQuestion) -> CostsAnswer:
    """What each kWh cost under the contracts and prices that were valid then, with the subscription."""
    first, last = asked.days(question)
    _bound(first, last)
    if question.by is None:
        found: tuple[Costs, ...] = (all_costs(asked.meter, first, last),)
    else:
        found = costs_by(asked.meter, first, last, question.by)
    return CostsAnswer(meter=asked.meter.meter_id, costs=found)


class ComparisonAnswer(BaseModel):
    """Every offer whose prices are known, the cheapest first; those that cannot be priced last."""

    meter: str
    first: date
    last: date
    wh: int
    hours: int  # of which the energy is known
    lacking: int  # hours of which it is not: no offer counts them
    estimated: int
    need: Need
    power: int | None  # kVA of the contract
    sure: bool  # the first is the cheapest, whatever the truth is of what is not known
    paid: Decimal | None  # EUR under the household's own contracts
    quotes: tuple[Quote, ...]


def comparison(asked: Asked, question: SpanQuestion) -> ComparisonAnswer:
    """What the past would have cost under each offer."""
    first, last = asked.days(question)
    _bound(first, last)
    found = compare_offers(asked.meter, first, last)
    return ComparisonAnswer(
        meter=asked.meter.meter_id, first=first, last=last, wh=found.wh, hours=found.hours, lacking=found.lacking,
        estimated=found.estimated, need=found.need, power=found.power, sure=found.is_sure,
        paid=all_costs(asked.meter, first, last).total, quotes=found.quotes,
    )  # fmt: skip


class SilenceAnswer(BaseModel):
    """From the last reading before it to the first after it; no end: it goes on."""

    begins: datetime
    ends: datetime | None
    reason: Gap.Reason | None


class SilencesAnswer(BaseModel):
    """When a meter was not heard for longer than five minutes."""

    meter: str
    silences: list[SilenceAnswer]


def silences(asked: Asked, question: SpanQuestion) -> SilencesAnswer:
    """When nothing was heard, and why, if that is known."""
    begins, ends = asked.span(question)
    found = [
        SilenceAnswer(begins=one.begins, ends=one.ends, reason=one.reason)
        for one in queries.gaps(asked.meter, begins, ends)
    ]
    return SilencesAnswer(meter=asked.meter.meter_id, silences=found)


class IndexesAnswer(BaseModel):
    """Every index at an instant; None: not said before."""

    meter: str
    at: datetime
    east: IndexValue | None
    easf: tuple[IndexValue | None, ...]  # the supplier's ten
    eait: IndexValue | None
    easd: tuple[IndexValue | None, ...]  # the distributor's four


def indexes(asked: Asked, question: MomentQuestion) -> IndexesAnswer:
    """What the registers said at an instant, between the readings before and after it."""
    found = queries.index_at(asked.meter, asked.moment(question))
    return IndexesAnswer(
        meter=asked.meter.meter_id, at=found.at, east=found.drawn, easf=found.tariffs, eait=found.injected,
        easd=found.distributor,
    )  # fmt: skip


class PeaksQuestion(SpanQuestion):
    """How many."""

    n: Annotated[int, Field(ge=1, le=100)] = Field(10, description="How many.")


class PeaksAnswer(BaseModel):
    """The minutes with the highest readings, highest first."""

    meter: str
    peaks: tuple[Peak, ...]


def peaks(asked: Asked, question: PeaksQuestion) -> PeaksAnswer:
    """When most power was drawn."""
    begins, ends = asked.span(question)
    return PeaksAnswer(meter=asked.meter.meter_id, peaks=queries.peaks(asked.meter, begins, ends, question.n))


class ProfileAnswer(BaseModel):
    """By weekday (Monday first) and hour; what the household never stops taking, in VA, of thirty nights."""

    meter: str
    cells: tuple[tuple[Cell | None, ...], ...]
    standby: Standby | None


def profile(asked: Asked, question: SpanQuestion) -> ProfileAnswer:
    """A household's habits."""
    begins, ends = asked.span(question)
    _, last = asked.days(question)
    return ProfileAnswer(
        meter=asked.meter.meter_id, cells=queries.profile(asked.meter, begins, ends).cells,
        standby=queries.standby(asked.meter, last),
    )  # fmt: skip


def _bound(first: date, last: date) -> None:
    if (last - first).days >= _MOST_DAYS:
        raise refused("from", f"more than {_MOST_DAYS} days; ask for less")
