"""The energy of a group of meters, whole or part by part, with what is missing in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from django.conf import settings
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, ConfigDict, Field
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from storage.answers.question import between, parameters, read, refused
from storage.api.access import may
from storage.buckets import zone_of
from storage.groups import MeterGroup, Tree
from storage.models import Meter, Rollup
from storage.queries.many import Total, added, by_day, by_meter
from storage.rights import Rights, rights_of

_MOST_DAYS: Final = 366 * 3
_Text = Annotated[str, Field(max_length=200)]


class GroupQuestion(BaseModel):
    """Whole local days, each on its meter's clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    begins: _Text = Field(alias="from", description="A date: 2026-11-28, 28/11/2026, 2026-11, yesterday.")
    ends: _Text | None = Field(
        None, alias="to", description="Until then; a day, month or year is included. Now, if it is left out."
    )
    by: Literal["day", "month"] | None = Field(
        None, description="Each day or calendar month; else one sum, with its parts."
    )


class Sum(BaseModel):
    """Energy in Wh; None: not known of any meter of it."""

    drawn: int | None
    injected: int | None
    estimated: bool  # an end lies in a silence of one of its meters
    meters: int  # how many are in it
    lacking_hours: int  # of all its meters together: of these hours the energy is in no sum
    complete: bool


class Part(Sum):
    """A group directly inside, with all that is inside it, or a meter that is in the group itself."""

    kind: Literal["group", "meter"]
    uuid: UUID
    name: str
    meter: str | None  # its number


class PeriodSum(Sum):
    """Of some days, first and last included."""

    first: date
    last: date


class GroupTotalsAnswer(BaseModel):
    """Each meter is in one group at most, so the parts add up to the total and nothing is counted twice."""

    group: UUID
    name: str
    totals: list[PeriodSum]
    parts: list[Part]  # of the one total; none when it is asked `by` day or month


class GroupTotalsView(APIView):
    """A group that is not seen is not there; nor are meters of it that are not."""

    queryset = Rollup.objects.none()  # whose permission to view counts

    @extend_schema(parameters=parameters(GroupQuestion), responses=GroupTotalsAnswer, operation_id="group_totals")
    def get(self, request: Request, uuid: UUID) -> Response:
        """The energy of a group and all that is inside it."""
        question = read(GroupQuestion, request.query_params.dict())
        rights = rights_of(request)
        group = rights.of(MeterGroup.objects.filter(uuid=uuid)).first()
        if group is None or not may(request.user, "view", MeterGroup):
            raise Http404
        found = group_totals(group, rights, question)
        return Response(found.model_dump(mode="json"))


def group_totals(group: MeterGroup, rights: Rights, question: GroupQuestion) -> GroupTotalsAnswer:
    """The answer."""
    zone, now = zone_of(settings.TIME_ZONE), timezone.now()
    begins, ends = between(question.begins, question.ends, zone, now)
    first, last = begins.astimezone(zone).date(), (ends - timedelta(microseconds=1)).astimezone(zone).date()
    if (last - first).days >= _MOST_DAYS:
        raise refused("from", f"more than {_MOST_DAYS} days; ask for less")
    tree = Tree.read().only(rights.groups)
    meters = list(rights.meters().filter(group__in=tree.within([group.pk])))
    answer = GroupTotalsAnswer(group=group.uuid, name=tree.name(group.pk), totals=[], parts=[])
    if question.by is not None:
        days = by_day(meters, first, last, now)
        answer.totals = list(_periods(days, question.by, len(meters)))
        return answer
    found = by_meter(meters, first, last, now)
    answer.parts = list(_parts(group, tree, meters, found))
    whole = _said(added(found.values()), len(meters))
    answer.totals = [PeriodSum(first=first, last=last, **whole)]
    return answer


def _parts(group: MeterGroup, tree: Tree, meters: list[Meter], found: dict[int, Total]) -> Iterable[Part]:
    for node in tree.children(group.pk):
        inside = tree.within([node.pk])
        own = [found[meter.pk] for meter in meters if meter.group_id in inside]
        yield Part(kind="group", uuid=UUID(node.uuid), name=node.name, meter=None, **_said(added(own), len(own)))
    for meter in meters:
        if meter.group_id == group.pk:
            yield Part(
                kind="meter", uuid=meter.uuid, name=str(meter), meter=meter.meter_id, **_said(found[meter.pk], 1)
            )


def _periods(days: dict[date, Total], by: str, meters: int) -> Iterable[PeriodSum]:
    months: dict[date, list[date]] = {}
    for day in days:
        months.setdefault(day.replace(day=1) if by == "month" else day, []).append(day)
    for own in months.values():
        whole = added(days[day] for day in own)
        yield PeriodSum(first=own[0], last=own[-1], **_said(whole, meters))


def _said(total: Total, meters: int) -> dict[str, int | bool | None]:
    return {
        "drawn": total.drawn, "injected": total.injected, "estimated": total.estimated, "meters": meters,
        "lacking_hours": total.lacking, "complete": total.lacking == 0,
    }  # fmt: skip
