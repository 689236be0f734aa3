"""What an address asks: one meter, and a span of time on its clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rest_framework import exceptions

from storage.buckets import zone_of
from storage.models import Meter
from storage.rights import Rights, rights_of
from storage.when import parse_when

_Text = Annotated[str, Field(max_length=200)]
LONGEST: Final = timedelta(days=366 * 20)


class Question(BaseModel):
    """Names that are not here are refused: a mistyped one would else be an answer to something else."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    meter: _Text | None = Field(None, description="Its number; may be left out while there is only one.")
    tz: _Text | None = Field(None, description="A time zone such as Europe/Paris; else the meter's own.")


class SpanQuestion(Question):
    """Dates as people write them: 2026-11-28, 28/11/2026, 2026-11, yesterday, 2026-11-28T10:30+01:00."""

    begins: _Text = Field(alias="from", description="A date, or a date and time: 2026-11-28, 28/11/2026, yesterday.")
    ends: _Text | None = Field(
        None, alias="to", description="Until then; a day, month or year is included. Now, if it is left out."
    )


class MomentQuestion(Question):
    """One instant."""

    at: _Text | None = Field(None, description="A date, or a date and time; now, if it is left out.")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question whose meter and zone are known."""

    meter: Meter
    zone: ZoneInfo
    now: datetime
    request: HttpRequest

    def span(self, question: SpanQuestion) -> tuple[datetime, datetime]:
        """From when until when, half-open."""
        return between(question.begins, question.ends, self.zone, self.now)

    def days(self, question: SpanQuestion) -> tuple[date, date]:
        """The local days of the meter that a span touches, both included."""
        begins, ends = self.span(question)
        own = zone_of(self.meter.timezone)
        return begins.astimezone(own).date(), (ends - timedelta(microseconds=1)).astimezone(own).date()

    def moment(self, question: MomentQuestion) -> datetime:
        """The instant."""
        return self.now if question.at is None else _when("at", question.at, self.zone, self.now)


def between(begins: str, ends: str | None, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    """What `from` and `to` say, half-open."""
    first = _when("from", begins, zone, now)
    last = now if ends is None else _when("to", ends, zone, now, end=True)
    if first >= last:
        raise refused("to", "'to' is not after 'from'")
    if last - first > LONGEST:
        raise refused("from", f"more than {LONGEST.days // 366} years; ask for less")
    return first, last


def _when(name: str, text: str, zone: ZoneInfo, now: datetime, *, end: bool = False) -> datetime:
    try:
        return parse_when(text, zone, now=now, end=end)
    except ValueError as error:
        raise refused(name, str(error)) from None


def refused(name: str, why: str) -> exceptions.ValidationError:
    """A 400 that names what was asked wrongly."""
    return exceptions.ValidationError({name: [why]})


_Q = TypeVar("_Q", bound=BaseModel)


def read(kind: type[_Q], given: Mapping[str, str]) -> _Q:
    """The question of an address."""
    try:
        return kind.model_validate(given)
    except ValidationError as error:
        known = ", ".join(names(kind))
        raise exceptions.ValidationError(
            {
                str(one["loc"][0]) if one["loc"] else "detail": [
                    f"is not asked here: expected {known}" if one["type"] == "extra_forbidden" else str(one["msg"])
                ]
                for one in error.errors(include_url=False, include_context=False, include_input=False)
            }
        ) from None


def names(kind: type[BaseModel]) -> list[str]:
    """What may be asked."""
    return [str(field.alias or name) for name, field in kind.model_fields.items()]


def parameters(question: type[BaseModel]) -> list[OpenApiParameter]:
    """What OpenAPI says may be asked."""
    schema = question.model_json_schema(by_alias=True)
    required = schema.get("required", ())
    return [
        OpenApiParameter(name, _one_of(said), description=str(said.get("description", "")), required=name in required)
        for name, said in schema["properties"].items()
    ]


def _one_of(said: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value that is given: in an address nothing is null."""
    kinds: list[dict[str, Any]] = said.get("anyOf", [said])
    found = next(dict(kind) for kind in kinds if kind.get("type") != "null")
    return {name: value for name, value in found.items() if name not in ("title", "description", "default")}


def asked(question: Question, request: HttpRequest) -> Asked:
    """The meter and the zone of a question."""
    meter = _meter(rights_of(request), question.meter)
    zone = zone_of(meter.timezone)
    if question.tz is not None:
        zone = _zone(question.tz)
    return Asked(meter, zone, timezone.now(), request)


def _meter(rights: Rights, wanted: str | None) -> Meter:
    rows = rights.meters()
    found = list(rows[:2] if wanted is None else rows.filter(meter_id=wanted))
    if len(found) == 1:
        return found[0]
    if wanted is not None:
        raise refused("meter", f"there is no meter {wanted!r}")
    raise refused("meter", "there is no meter yet" if not found else "there are several: say which")


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise refused("tz", f"{name!r} is no time zone; expected one such as Europe/Paris") from None
