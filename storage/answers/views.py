"""Questions and answers as views: an address, what may be asked there, and who may ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

from django.db import models
from django.http import Http404
from django.urls import URLPattern, path
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from storage.answers import household, power
from storage.answers.export import ExportView
from storage.answers.group import GroupTotalsView
from storage.answers.question import Asked, MomentQuestion, Question, SpanQuestion, asked, parameters, read
from storage.models import Data, Meter, Rollup
from storage.tariffs.models import DayCost, TariffPrice

_Reply = Callable[[Asked, Any], BaseModel | None]  # of each its own question


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
        about = asked(question, request._request)
        found = self.spec.reply(about, question)
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


ANSWERS: Final = (
    Answer("now", Question, power.NowAnswer, power.now, Meter, "live"),
    Answer("series", power.SeriesQuestion, power.SeriesAnswer, power.series, Data),
    Answer("totals", household.TotalsQuestion, household.TotalsAnswer, household.totals, Rollup),
    Answer("costs", household.CostsQuestion, household.CostsAnswer, household.costs, DayCost),
    Answer("comparison", SpanQuestion, household.ComparisonAnswer, household.comparison, TariffPrice),
    Answer("silences", SpanQuestion, household.SilencesAnswer, household.silences, Data),
    Answer("indexes", MomentQuestion, household.IndexesAnswer, household.indexes, Data),
    Answer("peaks", household.PeaksQuestion, household.PeaksAnswer, household.peaks, Data),
    Answer("profile", SpanQuestion, household.ProfileAnswer, household.profile, Rollup),
)


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
    path("groups/<uuid:uuid>/totals/", GroupTotalsView.as_view(), name="answer-group-totals"),
    path("export/", ExportView.as_view(), name="answer-export"),
]
