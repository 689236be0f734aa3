"""Questions and answers as views: an address, what may be asked there, and who may ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.db import models
from django.http import Http404, HttpRequest
from django.urls import URLPattern, path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from storage.answers import household, power
from storage.answers.export import ExportView
from storage.answers.question import Asked, MomentQuestion, Question, SpanQuestion, asked, read
from storage.models import Data, Meter, Rollup
from storage.tariffs.models import DayCost, TariffPrice

_Reply = Callable[[Asked, Any, HttpRequest], BaseModel | None]  # of each its own question


@dataclass(frozen=True, slots=True)
class Answer:
    """One address: whoever may view the model may ask."""

    name: str
    question: type[Question]
    answer: type[BaseModel]
    reply: _Reply
    model: type[models.Model]
    scope: str = "history"  # that a token needs


class AnswerView(APIView):
    """Reads the question, finds the meter, answers."""

    spec: ClassVar[Answer]

    def get(self, request: Request) -> Response:
        """The answer; 400 names what was asked wrongly."""
        question = read(self.spec.question, request.query_params.dict())
        about = asked(question)
        found = self.spec.reply(about, question, request._request)
        if found is None:
            raise Http404
        return Response(plain(found.model_dump(by_alias=True), about.zone))


def plain(value: Any, zone: ZoneInfo) -> Any:  # any tree
    """As JSON has it: instants in the asked zone, money as text, for a binary fraction is no amount."""
    if isinstance(value, dict):
        return {name: plain(one, zone) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, zone) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value


def _without_request(reply: Callable[[Asked, Any], BaseModel]) -> _Reply:
    return lambda about, question, _request: reply(about, question)


ANSWERS: Final = (
    Answer("now", Question, power.NowAnswer, power.now, Meter, "live"),
    Answer("series", power.SeriesQuestion, power.SeriesAnswer, _without_request(power.series), Data),
    Answer("totals", household.TotalsQuestion, household.TotalsAnswer, _without_request(household.totals), Rollup),
    Answer("costs", household.CostsQuestion, household.CostsAnswer, _without_request(household.costs), DayCost),
    Answer("comparison", SpanQuestion, household.ComparisonAnswer, _without_request(household.comparison), TariffPrice),
    Answer("silences", SpanQuestion, household.SilencesAnswer, _without_request(household.silences), Data),
    Answer("indexes", MomentQuestion, household.IndexesAnswer, _without_request(household.indexes), Data),
    Answer("peaks", household.PeaksQuestion, household.PeaksAnswer, _without_request(household.peaks), Data),
    Answer("profile", SpanQuestion, household.ProfileAnswer, _without_request(household.profile), Rollup),
)


def parameters(question: type[Question]) -> list[OpenApiParameter]:
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


def create_view(spec: Answer) -> type[APIView]:
    """The view of an answer."""

    @extend_schema(parameters=parameters(spec.question), responses=spec.answer, operation_id=spec.name)
    def get(self: AnswerView, request: Request) -> Response:
        return AnswerView.get(self, request)

    get.__doc__ = spec.reply.__doc__ or spec.answer.__doc__
    inside = {
        "__doc__": spec.answer.__doc__, "spec": spec, "get": get, "read_scope": spec.scope,
        "queryset": spec.model._default_manager.none(),  # whose permission to view counts
    }  # fmt: skip
    made: type[APIView] = type(f"{spec.name.title()}View", (AnswerView,), inside)
    return made


urlpatterns: Final[list[URLPattern]] = [
    *(path(f"{spec.name}/", create_view(spec).as_view(), name=f"answer-{spec.name}") for spec in ANSWERS),
    path("export/", ExportView.as_view(), name="answer-export"),
]
