"""Any measures over time, and what is said right now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, NamedTuple

from pydantic import BaseModel, Field

from storage import queries
from storage.answers.question import Asked, Question, SpanQuestion, refused
from storage.columns import MEASURES
from storage.models import Rollup
from storage.queries.periods import instant
from storage.web.said import Said, said_live, said_stored
from storage.web.stream import hub_of
from storage.window import REGISTERS

_MOST: Final = 8  # fields of one answer
_STEPS: Final = {int(step) for step in Rollup.Step}
_UNITS: Final = {"s": "VA", "e": "Wh", "i": "A", "u": "V"}  # by the first letter of a column


class SeriesQuestion(SpanQuestion):
    """Power, current, voltage: lowest, mean and highest of each slice. Indexes: their energy in each slice."""

    fields: Annotated[str, Field(max_length=200)] = Field(
        "sinsts", description="Up to eight columns, with commas between them: sinsts,east,easf01,irms1."
    )
    step: Annotated[int, Field(ge=1, le=366 * 86_400)] | None = Field(
        None, description="Seconds of a slice; chosen, if it is left out. At most 2000 slices."
    )


class PowerPoint(NamedTuple):
    """Nothing between `low` and `high` is lost, however wide the slice."""

    at: datetime
    low: float
    mean: float
    high: float


class EnergyPoint(NamedTuple):
    """Energy of a slice in Wh; `estimated`: an end of it lies in a silence."""

    at: datetime
    wh: int
    estimated: bool


class Series(BaseModel):
    """One column. A slice of which nothing is known is not there."""

    field: str
    unit: str
    step: int  # seconds
    points: list[PowerPoint] | list[EnergyPoint]


class SeriesAnswer(BaseModel):
    """Columns over time."""

    meter: str
    begins: datetime = Field(serialization_alias="from")
    ends: datetime = Field(serialization_alias="to")
    series: list[Series]


def series(asked: Asked, question: SeriesQuestion) -> SeriesAnswer:
    """Columns of the readings, from whatever tells them in few enough rows: readings, minutes, hours or days."""
    begins, ends = asked.span(question)
    wanted = list(dict.fromkeys(name.strip() for name in question.fields.split(",")))
    if len(wanted) > _MOST:
        raise refused("fields", f"more than {_MOST}; ask again for the others")
    for name in wanted:
        if name not in MEASURES:
            raise refused("fields", f"{name!r} is no column; expected some of {', '.join(MEASURES)}")
    if question.step is not None and (ends - begins).total_seconds() / question.step > queries.MAX_POINTS:
        raise refused("step", f"more than {queries.MAX_POINTS} slices; ask for less time or a wider step")
    found = [_one(asked, name, begins, ends, question.step) for name in wanted]
    return SeriesAnswer(meter=asked.meter.meter_id, begins=begins, ends=ends, series=found)


def _one(asked: Asked, name: str, begins: datetime, ends: datetime, step: int | None) -> Series:
    if name in REGISTERS:
        return _energy(asked, name, begins, ends, step)
    curve = queries.curve(asked.meter, begins, ends, measure=name, step=step)
    points = [PowerPoint(instant(p.at), p.low, round(p.mean, 1), p.high) for p in curve.points]
    return Series(field=name, unit=_UNITS[name[0]], step=curve.step, points=points)


def _energy(asked: Asked, name: str, begins: datetime, ends: datetime, step: int | None) -> Series:
    if step is not None and step not in _STEPS:
        raise refused("step", f"of energy: expected one of {', '.join(map(str, sorted(_STEPS)))}")
    try:
        slices = queries.energies(asked.meter, begins, ends, name, step=None if step is None else Rollup.Step(step))
    except ValueError as error:
        raise refused("step", str(error)) from None
    points = [EnergyPoint(instant(one.at), one.wh, one.estimated) for one in slices.slices]
    return Series(field=name, unit="Wh", step=int(slices.step), points=points)


class NowAnswer(BaseModel):
    """What the meter said last."""

    meter: str
    at: datetime
    live: bool  # heard by this process; else it is the newest that is stored
    online: bool | None  # whether a bridge hears the meter
    values: dict[str, Any]  # by canonical slug, in the meter's units


def now(asked: Asked, question: Question) -> NowAnswer | None:
    """The newest reading, live where there is one."""
    hub = hub_of(asked.request)
    heard = hub.last(asked.meter.meter_id) if hub is not None else None
    said: Said | None = None
    if heard is not None and heard.envelope is not None:
        said = said_live(heard.envelope)
    elif (row := queries.latest(asked.meter)) is not None:
        said = said_stored(row, asked.meter.mode, asked.meter.timezone)
    if said is None:
        return None
    is_live = heard is not None and heard.envelope is not None
    return NowAnswer(
        meter=asked.meter.meter_id, at=said.at, live=is_live, online=heard.online if heard else None,
        values=dict(said.values),
    )  # fmt: skip
