"""What is written is checked by the model first; what the database refuses is a 400 too; all of it or nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import IntegrityError
from rest_framework.test import APIClient

from storage.api.serializers import CommonModelSerializer
from storage.entities.metadata import get_metadata
from storage.models import Meter
from storage.tariffs.models import Contract, Offer, TariffPrice, TempoDay
from tests.storage.api.samples import contracts, meters, offers, prices

pytestmark = pytest.mark.django_db


def test_a_period_that_ends_before_it_begins_is_refused(owner: APIClient) -> None:
    body = {"meter": meters()[0].pk, "offer": offers()[0].pk, "start_date": "2026-02-01T00:00:00Z"}
    refused = owner.post("/api/v1/contracts/", {**body, "end_date": "2026-01-01T00:00:00Z"})
    assert (refused.status_code, refused.json()) == (400, {"non_field_errors": ["It ends before it begins."]})
    assert owner.post("/api/v1/contracts/", {**body, "power": 99}).json() == {
        "power": ["Ensure this value is less than or equal to 36."]
    }
    assert Contract.objects.count() == 0


def test_periods_that_overlap_are_refused(owner: APIClient) -> None:
    row: Any = contracts()[0]
    body = {"meter": row.meter_id, "offer": row.offer_id, "start_date": "2026-02-01T00:00:00Z"}
    refused = owner.post("/api/v1/contracts/", body)
    assert refused.json() == {"non_field_errors": ["Another version of the same series holds in that time."]}
    assert refused.status_code == 400


def test_what_somebody_else_wrote_meanwhile_is_a_400_too(owner: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Validation saw nothing, the database does."""
    TempoDay.objects.create(day="2026-01-01", colour="bleu", source="user")
    monkeypatch.setattr(CommonModelSerializer, "run_validation", lambda _, data: data)
    refused = owner.post("/api/v1/tempo-days/", {"day": "2026-01-01", "colour": "bleu", "source": "user"})
    assert refused.status_code == 400
    assert "contradicts" in refused.json()["detail"]
    with pytest.raises(IntegrityError):
        TempoDay.objects.create(day="2026-01-01", colour="bleu", source="user")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400), ("", 400), ("[" * 100_000, 400), ('{"name": NaN}', 400), ("null", 400), ("[]", 400), ('"x"', 400),
        ('{"meter_id": "\\u0000"}', 400), ('{"meter_id": "\\ud800"}', 400), ('{"meter_id": "x", "name": {}}', 400),
        (b"\xff", 400), ('{"meter_id": "' + "x" * 3_000_000 + '"}', 413),
        ('{"meter_id": "1", "metadata": {"": 1}}', 400), ('{"meter_id": "1", "metadata": {"\\u0000": 1}}', 400),
    ],
)  # fmt: skip
def test_a_body_that_is_no_object_of_ours_is_refused(owner: APIClient, body: str | bytes, status: int) -> None:
    assert owner.post("/api/v1/meters/", body, content_type="application/json").status_code == status
    assert owner.post("/api/v1/meters/", {"meter_id": "x"}, format="multipart").status_code == 415
    assert Meter.objects.count() == 0


@pytest.mark.parametrize("start", ["0001-01-01T00:00:00Z", "1910-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", 5, "x"])
def test_instants_that_no_database_can_hold_are_refused(owner: APIClient, start: Any) -> None:
    body = {"meter": meters()[0].pk, "offer": offers()[0].pk, "start_date": start}
    assert list(owner.post("/api/v1/contracts/", body).json()) == ["start_date"]


def test_what_is_fixed_is_not_written(owner: APIClient) -> None:
    meter = meters()[0]
    answer = owner.patch(f"/api/v1/meters/{meter.pk}/", {"mode": "historique", "name": "x", "uuid": "y", "id": 9})
    assert (answer.status_code, answer.json()["mode"], answer.json()["id"]) == (200, "standard", meter.pk)


def test_metadata_is_written_and_read(owner: APIClient) -> None:
    made = owner.post("/api/v1/meters/", {"meter_id": "x", "metadata": {"area": ["cellar", 1, None]}})
    meter = Meter.objects.get()
    assert "metadata" not in made.json()
    assert get_metadata(meter) == {"area": ["cellar", 1, None]}
    answer = owner.patch(f"/api/v1/meters/{meter.pk}/?meta=1", {"metadata": {"photo": "a.jpg"}})
    assert answer.json()["metadata"] == {"area": ["cellar", 1, None], "photo": "a.jpg"}


def test_a_contract_comes_with_its_prices_in_one_post(owner: APIClient) -> None:
    body = {
        "meter": meters()[0].pk,
        "offer": offers()[1].pk,
        "power": 6,
        "prices": [
            {"period": "hp", "amount": "0.2146", "start_date": "2026-02-01T00:00:00+01:00"},
            {"period": "hc", "amount": "0.1696", "start_date": "2026-02-01T00:00:00+01:00"},
            {"kind": "subscription", "power": 6, "amount": "190.5", "start_date": "2026-02-01T00:00:00+01:00"},
        ],
    }
    made = owner.post("/api/v1/contracts/", body)
    assert made.status_code == 201, made.content
    offer = Offer.objects.get(pk=offers()[1].pk)
    prices = TariffPrice.objects.filter(offer=offer).order_by("kind", "period")
    assert list(prices.values_list("kind", "period", "power", "amount")) == [
        ("energy", "hc", 0, Decimal("0.1696")),
        ("energy", "hp", 0, Decimal("0.2146")),
        ("subscription", "", 6, Decimal("190.5")),
    ]
    again = owner.put(f"/api/v1/contracts/{made.json()['id']}/", body)
    assert list(again.json()) == ["prices"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"period": "hp", "amount": "0.2", "start_date": "2026-02-01T00:00:00Z"},  # the second of the same period
        {"period": "hc", "amount": "much"},
        {"period": "hc"},
        {"kind": "tax", "amount": "1"},
        7,
    ],
)
def test_one_wrong_price_undoes_the_contract_and_all_prices(owner: APIClient, wrong: Any) -> None:
    before = TariffPrice.objects.count()
    good = {"period": "hp", "amount": "0.2146", "start_date": "2026-01-01T00:00:00Z"}
    body = {"meter": meters()[0].pk, "offer": offers()[1].pk, "prices": [good, wrong]}
    assert owner.post("/api/v1/contracts/", body).status_code == 400
    assert (Contract.objects.count(), TariffPrice.objects.count()) == (0, before)


def test_prices_of_a_contract_need_their_own_permission(viewer: APIClient) -> None:
    user = User.objects.get(username="viewer")
    user.user_permissions.add(Permission.objects.get(codename="add_contract"))
    body = {"meter": meters()[0].pk, "offer": offers()[1].pk}
    assert viewer.post("/api/v1/contracts/", {**body, "prices": [{"period": "hp", "amount": "1"}]}).status_code == 403
    assert Contract.objects.count() == 0
    assert viewer.post("/api/v1/contracts/", body).status_code == 201


def test_a_price_that_changes_keeps_the_old_one(owner: APIClient) -> None:
    old: Any = prices()[2]
    new = owner.patch(f"/api/v1/prices/{old.pk}/", {"amount": "0.194", "start_date": "2026-02-01T00:00:00Z"}).json()
    assert (new["amount"], new["start_date"]) == ("0.194", "2026-02-01T01:00:00+01:00")
    asked = {"offer": old.offer_id, "period": "base", "fields": "amount"}
    for date, amount in {"2026-01-31": "0.1952", "2026-02-02": "0.194"}.items():
        found = owner.get("/api/v1/prices/", {**asked, "valid_date": date}).json()["results"]
        assert found == [{"amount": amount}]
    assert TariffPrice.objects.get(pk=old.pk).end_date == datetime(2026, 2, 1, tzinfo=UTC)


def test_writing_needs_the_browsers_own_token(owner: APIClient) -> None:
    """A page from elsewhere cannot use the login of a browser."""
    strict = APIClient(enforce_csrf_checks=True)
    strict.cookies = owner.cookies
    assert strict.post("/api/v1/meters/", {"meter_id": "x"}).status_code == 403
    assert strict.get("/api/v1/meters/").status_code == 200
