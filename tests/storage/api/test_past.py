"""History by the API: who changed what, and the way back; any entity by its uuid; what a deletion would take."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from storage.models import Meter
from storage.tariffs.models import OffPeakSlot
from tests.storage.api.samples import contracts, meters, slots

pytestmark = pytest.mark.django_db


@pytest.fixture
def meter(owner: APIClient) -> Meter:
    """Named thrice by its owner."""
    meter = meters()[0]
    for name in ("cellar", "attic"):
        assert owner.patch(f"/api/v1/meters/{meter.pk}/", {"name": name}).status_code == 200
    return meter


def history(client: APIClient, meter: Meter) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get(f"/api/v1/meters/{meter.pk}/history/").json()
    return found


def test_each_change_is_told_with_its_author(owner: APIClient, meter: Meter) -> None:
    told = [(row["type"], row["user"]) for row in history(owner, meter)]
    author = User.objects.get(username="owner").pk
    assert told == [("changed", author), ("changed", author), ("created", None)]


def test_a_change_is_told_field_by_field(owner: APIClient, meter: Meter) -> None:
    newest, _, oldest = history(owner, meter)
    whole = owner.get(f"/api/v1/meters/{meter.pk}/history/{newest['id']}/").json()
    assert whole["changes"] == [{"field": "name", "old": "cellar", "new": "attic"}]
    assert whole["values"]["meter_id"] == meter.meter_id
    assert owner.get(f"/api/v1/meters/{meter.pk}/history/{oldest['id']}/").json()["changes"] == []


def test_an_entity_goes_back_and_that_is_undone(owner: APIClient, meter: Meter) -> None:
    oldest = history(owner, meter)[-1]
    url = f"/api/v1/meters/{meter.pk}/history/{oldest['id']}/restore/"
    back = owner.post(url, {"reason": "a mistake"}).json()
    assert (back["values"]["name"], back["reason"], back["restored_from"]) == ("Meter 0", "a mistake", oldest["id"])
    assert back["changes"] == [{"field": "name", "old": "attic", "new": "Meter 0"}]
    assert owner.post(url, {"rollback": True}).json()["values"]["name"] == "attic"


def test_one_field_goes_back(owner: APIClient, meter: Meter) -> None:
    slot: Any = slots()[0]
    OffPeakSlot.objects.filter(pk=slot.pk).update(ends="05:00", season="summer")
    record = slot.history.last()
    url = f"/api/v1/off-peak-slots/{slot.pk}/history/{record.history_id}/restore/"
    back = owner.post(url, {"fields": ["ends"]}).json()
    assert (back["values"]["ends"], back["values"]["season"]) == ("02:00:00", "summer")
    for strange in ("shipped", "colour", "uuid_"):
        refused = owner.post(url, {"fields": [strange]})
        assert (refused.status_code, list(refused.json())) == (400, ["fields"])
    assert owner.post(url, {"fields": "ends"}).status_code == 400


def test_what_is_deleted_is_found_and_comes_back(owner: APIClient, meter: Meter) -> None:
    url = f"/api/v1/meters/{meter.pk}/"
    assert owner.delete(url).status_code == 204
    found = owner.get(f"/api/v1/uuid/{meter.uuid}/").json()
    assert (found["model"], found["id"], found["deleted"], found["name"]) == ("storage.meter", meter.pk, True, "attic")
    assert found["url"] == f"http://testserver{url}history/"
    assert [row["type"] for row in found["history"]] == ["deleted", "changed", "changed", "created"]
    assert owner.post(f"{url}history/{found['history'][-1]['id']}/restore/", {}).json()["type"] == "created"
    assert owner.get(url).json()["name"] == "Meter 0"


def test_each_entity_is_found_by_its_uuid(owner: APIClient, viewer: APIClient, stranger: APIClient) -> None:
    contract: Any = contracts()[0]
    found = viewer.get(f"/api/v1/uuid/{contract.uuid}/").json()
    assert (found["model"], found["deleted"]) == ("tariffs.contract", False)
    assert viewer.get(found["url"]).json()["uuid"] == str(contract.uuid)
    assert stranger.get(f"/api/v1/uuid/{contract.uuid}/").status_code == 404
    for nobodys in (uuid4(), "x", "0" * 100):
        assert owner.get(f"/api/v1/uuid/{nobodys}/").status_code == 404


def test_what_a_deletion_takes_is_told_before(owner: APIClient, viewer: APIClient, meter: Meter) -> None:
    contract: Any = contracts()[0]
    told = owner.get(f"/api/v1/meters/{meter.pk}/deletion/").json()
    assert told == {
        "deleted": [
            {"model": "storage.meter", "count": 1, "names": ["attic"]},
            {"model": "tariffs.contract", "count": 1, "names": [str(contract)]},
            {"model": "tariffs.dirtydays", "count": 1, "names": []},  # of a table that is not shown here
        ],
        "unlinked": [],
        "blocked": [],
    }
    assert Meter.objects.filter(pk=meter.pk).exists()
    assert viewer.get(f"/api/v1/meters/{meter.pk}/deletion/").status_code == 403


def test_who_may_only_look_restores_nothing(viewer: APIClient, stranger: APIClient, meter: Meter) -> None:
    oldest = history(viewer, meter)[-1]
    url = f"/api/v1/meters/{meter.pk}/history/{oldest['id']}/"
    assert viewer.post(f"{url}restore/", {}).status_code == 403
    assert (viewer.get(url).status_code, stranger.get(url).status_code) == (200, 403)
    assert Meter.objects.get(pk=meter.pk).name == "attic"


@pytest.mark.parametrize("path", ["x/history/", "9999/history/", "{}/history/9999/", "{}/history/" + "9" * 30 + "/"])
def test_a_history_that_is_not_there_is_a_404(owner: APIClient, meter: Meter, path: str) -> None:
    assert owner.get(f"/api/v1/meters/{path.format(meter.pk)}").status_code == 404


def test_choices_are_told_with_their_words(viewer: APIClient, stranger: APIClient, nobody: APIClient) -> None:
    told = viewer.get("/api/v1/choices/").json()
    assert told["contracts"]["direction"] == [
        {"value": "drawn", "text": "drawn"},
        {"value": "injected", "text": "injected"},
    ]
    assert "origin" in told["offers"]
    assert stranger.get("/api/v1/choices/").json() == {}
    assert nobody.get("/api/v1/choices/").status_code == 401
