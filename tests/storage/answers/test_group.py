"""Totals of a group: parts add up, nothing is counted twice, what is missing is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from storage.groups import MeterGroup, Sight
from storage.models import Meter, Register, Rollup
from storage.web.roles import Role, give
from tests.storage.api.conftest import client_of

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 1, 31, 23, tzinfo=UTC)  # 1 February in Paris


class Building:
    """A house of one floor with two meters, and a third one beside the floor; 28 days of February."""

    def __init__(self) -> None:
        self.house = MeterGroup.objects.create(name="House")
        self.floor = MeterGroup.objects.create(name="Floor", parent=self.house)
        self.one, self.two = (self.meter(f"04210000000{n}", self.floor, wh=100 * n) for n in (1, 2))
        self.lift = self.meter("042100000003", self.house, wh=7, since=14)

    def meter(self, meter_id: str, group: MeterGroup, *, wh: int, since: int = 0) -> Meter:
        made: Meter = Meter.objects.create(
            meter_id=meter_id, name=f"M{meter_id[-1]}", mode="standard", timezone="Europe/Paris", group=group
        )
        Rollup.objects.bulk_create(
            Rollup(meter=made, step=86_400, start=BEGIN + timedelta(days=n), readings=1, east=wh, eait=1)
            for n in range(since, 28)
        )
        begins = BEGIN + timedelta(days=since)
        Register.objects.create(meter=made, name="east", since=begins, at=BEGIN + timedelta(days=28), value=1)
        return made

    def ask(self, client: APIClient, question: dict[str, str], group: MeterGroup | None = None) -> Any:
        answer = client.get(f"/api/v1/groups/{(group or self.house).uuid}/totals/", question)
        assert answer.status_code == 200, answer.content
        return answer.json()


@pytest.fixture
def building() -> Building:
    return Building()


@pytest.fixture
def owner() -> APIClient:
    return client_of(User.objects.create_superuser("owner"))


def test_a_month_with_its_parts_which_add_up(building: Building, owner: APIClient) -> None:
    floor = {
        "drawn": 28 * 300, "injected": 56, "estimated": False, "meters": 2, "lacking_hours": 0, "complete": True,
    }  # fmt: skip
    lift = {
        "drawn": 14 * 7, "injected": 14, "estimated": False, "meters": 1, "lacking_hours": 14 * 24, "complete": False,
    }  # fmt: skip
    assert building.ask(owner, {"from": "2026-02", "to": "2026-02"}) == {
        "group": str(building.house.uuid), "name": "House",
        "totals": [{
            "first": "2026-02-01", "last": "2026-02-28", "drawn": 28 * 300 + 14 * 7, "injected": 70,
            "estimated": False, "meters": 3, "lacking_hours": 14 * 24, "complete": False,
        }],
        "parts": [
            {"kind": "group", "uuid": str(building.floor.uuid), "name": "Floor", "meter": None, **floor},
            {"kind": "meter", "uuid": str(building.lift.uuid), "name": "M3", "meter": "042100000003", **lift},
        ],
    }  # fmt: skip


def test_day_by_day_and_month_by_month(building: Building, owner: APIClient) -> None:
    days = building.ask(owner, {"from": "2026-02-13", "to": "2026-02-16", "by": "day"})
    assert [(day["first"], day["drawn"], day["lacking_hours"]) for day in days["totals"]] == [
        ("2026-02-13", 300, 24), ("2026-02-14", 300, 24), ("2026-02-15", 307, 0), ("2026-02-16", 307, 0),
    ]  # fmt: skip
    assert days["parts"] == []
    months = building.ask(owner, {"from": "2026-01-30", "to": "2026-02-02", "by": "month"})
    assert [(one["first"], one["last"], one["drawn"]) for one in months["totals"]] == [
        ("2026-01-30", "2026-01-31", None), ("2026-02-01", "2026-02-02", 600),
    ]  # fmt: skip


def test_what_is_asked_wrongly_is_named(building: Building, owner: APIClient) -> None:
    url = f"/api/v1/groups/{building.house.uuid}/totals/"
    for question, names in (
        ({}, ["from"]), ({"from": "2026-02-30"}, ["from"]), ({"from": "2026-02", "to": "2026-01"}, ["to"]),
        ({"from": "2010", "to": "2020"}, ["from"]), ({"from": "2026", "by": "week"}, ["by"]),
        ({"from": "2026", "meter": "1"}, ["meter"]),
    ):  # fmt: skip
        answer = owner.get(url, question)
        assert (answer.status_code, list(answer.json())) == (400, names)
    assert owner.get(f"/api/v1/groups/{uuid4()}/totals/", {"from": "2026"}).status_code == 404


def test_who_is_limited_gets_totals_of_what_he_sees(building: Building, owner: APIClient) -> None:
    user = User.objects.create_user("tenant")
    give(user, Role.LOOK)
    Sight.objects.create(user=user).groups.set([building.floor])
    client, month = client_of(user), {"from": "2026-02", "to": "2026-02"}
    assert client.get(f"/api/v1/groups/{building.house.uuid}/totals/", month).status_code == 404
    assert building.ask(client, month, building.floor)["totals"][0]["drawn"] == 28 * 300
    assert building.ask(client, month, building.floor)["name"] == "Floor"


def test_who_may_not_view_gets_nothing(building: Building) -> None:
    stranger = client_of(User.objects.create_user("stranger"))
    assert stranger.get(f"/api/v1/groups/{building.house.uuid}/totals/", {"from": "2026"}).status_code == 403


def test_a_group_is_made_and_meters_are_put_into_it_by_the_api(building: Building, owner: APIClient) -> None:
    made = owner.post("/api/v1/groups/", {"name": "Attic", "parent": building.house.pk}).json()
    owner.patch(f"/api/v1/meters/{building.lift.pk}/", {"group": made["id"]})
    found = owner.get("/api/v1/meters/", {"group.name": "Attic", "fields": "meter_id"}).json()["results"]
    assert found == [{"meter_id": "042100000003"}]
    inside = owner.patch(f"/api/v1/groups/{building.house.pk}/", {"parent": made["id"]})
    assert (inside.status_code, inside.json()) == (400, {"parent": ["A group cannot be inside itself."]})
    held = owner.delete(f"/api/v1/groups/{building.house.pk}/")
    assert (held.status_code, held.json()["blocked"]) == (409, ["storage.metergroup"])
