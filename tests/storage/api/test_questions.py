"""The query language, asked over HTTP and compared with what Python says."""

from __future__ import annotations

import statistics
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from storage.api import answering
from storage.models import Data, Meter, Rollup
from storage.tariffs.models import Contract, DayCost, TempoDay
from tests.storage.api.samples import contracts, costs, epochs, hours, meters, readings
from tests.storage.entities.library.models import Author, Book, Tag

LIBRARY = pytest.mark.urls("tests.storage.api.library_urls")
pytestmark = pytest.mark.django_db


def rows(client: APIClient, address: str, **params: Any) -> Any:
    answer = client.get(address if address.startswith("/") else f"/api/v1/{address}/", params)
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def refused(client: APIClient, address: str, **params: Any) -> Any:
    answer = client.get(address if address.startswith("/") else f"/api/v1/{address}/", params)
    assert answer.status_code == 400, answer.content
    return answer.json()


def names(client: APIClient, **params: Any) -> set[str]:
    return {row["name"] for row in rows(client, "meters", **params)}


# --- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"power": 3}, "1"),
        ({"power__gte": 3}, "12"),
        ({"power__isnull": 1}, "0"),
        ({"-power": 3}, "02"),
        ({"name__in": "Meter 0,Meter 2"}, "02"),
        ({"name__iexact": "METER 1"}, "1"),
        ({"meter_id__endswith": 2}, "2"),
        ({"power__range": "4,9"}, "2"),
        ({"filters": "or(power:3,power__isnull:1)"}, "01"),
        ({"filters": 'not(name:"Meter 0"),not(and(power:3,mode:standard))'}, "2"),
        ({"filters": "and(power__gt:1,or(power:3,name:x))"}, "1"),
        ({"name": "[name]"}, "012"),
        ({"name__gt": "[mode]"}, ""),
        ({"filters": 'name:"[name]"'}, ""),
        ({"annotate": "lower(name):small", "small": "meter 1"}, "1"),
        ({"annotate": "coalesce(power,0):kva", "kva__lt": 4}, "01"),
    ],
)
def test_conditions(owner: APIClient, params: dict[str, Any], expected: str) -> None:
    meters()
    assert names(owner, **params) == {f"Meter {n}" for n in expected}


def test_each_kind_is_asked_with_its_own_values(owner: APIClient) -> None:
    row = contracts()[0]
    assert isinstance(row, Contract)
    for name, value in {
        "id": row.pk, "meter": row.meter_id, "uuid": row.uuid, "power": 6, "direction__contains": "raw",
        "start_date": "2020-01-01T01:00:00+01:00", "start_date__lte": "2020-06-01", "end_date__isnull": "true",
    }.items():  # fmt: skip
        assert row.pk in [found["id"] for found in rows(owner, "contracts", **{name: value})], name
    TempoDay.objects.create(day=date(2026, 1, 2), colour="bleu", source="user")
    assert len(rows(owner, "tempo-days", day__range="2026-01-01,2026-01-03")) == 1
    costs()
    assert len(rows(owner, "day-costs", estimated="false", amount__gte="1.5")) == 3
    assert rows(owner, "day-costs", day__gt="2020-01-03", fields="wh") == [{"wh": 2}, {"wh": 3}]


def test_relations_are_followed_where_they_are_listed(owner: APIClient) -> None:
    contracts()
    assert rows(owner, "contracts", **{"meter.power__gte": 4}, fields="meter.name,offer__code:offer_code") == [
        {"meter.name": "Meter 2", "offer_code": "offer-0"}
    ]
    assert rows(owner, "contracts", order_by="-meter__meter_id")[0]["meter"]["name"] == "Meter 2"
    found = rows(owner, "contracts", group_by="meter.mode", count="id:contracts", sum="meter.power:kva")
    assert found == [{"meter.mode": "standard", "contracts": 3, "kva": 9}]


@pytest.mark.parametrize(
    "name",
    [
        "current_user.password", "current_user__password__startswith", "meter.current_user__username", "prices.amount",
        "meter.contracts.id", "offer.shipped", "offer.prices__amount", "history__name", "meter__raw__since", "pk",
        "meter_id", "meter.epoch", "meter..name", "meter.name.x", "meter__name__x",
    ],
)  # fmt: skip
def test_nothing_is_probed_through_relations(owner: APIClient, name: str) -> None:
    """Of what is not shown, no word of the language tells whether it is there."""
    contracts()
    assert name in refused(owner, "contracts", **{name: "a"})[name][0]
    assert name in refused(owner, "contracts", **{f"-{name}": "a"})[f"-{name}"][0]
    for word in ("fields", "order_by", "group_by", "distinct", "count", "min"):
        assert word in refused(owner, "contracts", **{word: name})
    assert "filters" in refused(owner, "contracts", filters=f"not({name}:a)")
    assert "filters" in refused(owner, "contracts", filters=f"id:[{name}]")
    assert "annotate" in refused(owner, "contracts", annotate=f"lower({name}):x")


def test_a_relation_to_what_one_may_not_see_is_not_followed(viewer: APIClient) -> None:
    from django.contrib.auth.models import User  # noqa: PLC0415  only here

    contracts()
    assert len(rows(viewer, "contracts", **{"meter.name": "Meter 0"})) == 1
    user = User.objects.get(username="viewer")
    user.user_permissions.remove(user.user_permissions.get(codename="view_meter"))
    assert "meter.name" in refused(viewer, "contracts", **{"meter.name": "Meter 0"})


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"power__regex": "3"}, "no lookup 'regex'"),
        ({"power": "three"}, "expected a whole number"),
        ({"power": 10**30}, "expected a whole number"),
        ({"power__range": "1"}, "two values"),
        ({"power__in": ",".join("1" * 201)}, "at most 200 values"),
        ({"power__isnull": "maybe"}, "expected 1 or 0"),
        ({"name": "a\0"}, "null character"),
        ({"name": "[power]"}, "cannot be compared"),
        ({"name__contains": "[name]"}, "cannot be compared"),
        ({"creation_date": "0001-01-01"}, "expected a year"),
        ({"creation_date": "2026-02-30"}, "is no date"),
        ({"uuid": "x"}, "badly formed"),
        ({"filters": "name"}, "expected a colon"),
        ({"annotate": "lower(name)"}, "needs a name"),
        ({"annotate": "lower(name):power"}, "is a name already"),
        ({"annotate": "pg_sleep(name):x"}, "is no function"),
        ({"annotate": "lower(power):x"}, "expected text"),
        ({"annotate": "trunc_hour(name):x"}, "expected instant"),
        ({"annotate": "coalesce(name):x"}, "two arguments"),
        ({"annotate": "coalesce(power,mode):x"}, "one kind"),
        ({"annotate": 'coalesce(power,"x"):x'}, "whole number"),
        ({"annotate": "round(power,99):x"}, "0 to 9 digits"),
        ({"annotate": "cast(name,integer):x"}, "does not take this"),
        ({"annotate": "cast(name,secret):x"}, "takes a field and one of"),
        ({"annotate": '"a":x'}, "stands alone"),
        ({"fields": "-name"}, "only 'order_by'"),
        ({"fields": "name,name"}, "asked for twice"),
        ({"sum": "name"}, "does not take this"),
        ({"max": "distinct(power)"}, "takes no 'distinct'"),
        ({"count": "id:a,name:a"}, "is a name already"),
        ({"group_by": "mode", "order_by": "name", "count": "id"}, "what is grouped by"),
        ({"group_by": "mode", "fields": "name"}, "not together"),
        ({"distinct": "1"}, "expected 'fields'"),
        ({"distinct": "1", "fields": "name", "order_by": "mode"}, "some of 'fields'"),
        ({"page": "0"}, "from 1 to"),
        ({"page": "2"}, "from 1 to 1"),
        ({"page_size": "1001"}, "from 1 to 1000"),
        ({"valid": "1"}, "no time of validity"),
        ({"simple": "x"}, "expected 1 or 0"),
        ({f"name__in{n}": 1 for n in range(61)}, "at most 60 parameters"),
    ],
)
def test_what_cannot_be_answered_is_refused_under_its_name(owner: APIClient, params: dict[str, Any], said: str) -> None:
    meters()
    answer = refused(owner, "meters", **params)
    assert said in str(answer)
    assert set(answer) <= {*params, "detail"}


# --- results -------------------------------------------------------------------------------------


def test_what_is_empty_comes_first_or_last(owner: APIClient) -> None:
    meters()
    for order, expected in {"power<": [None, 3, 6], "power>": [3, 6, None], "-power>": [6, 3, None]}.items():
        assert [row["power"] for row in rows(owner, "meters", order_by=order)] == expected


def test_choices_are_shown_with_their_words(owner: APIClient) -> None:
    hours()
    assert rows(owner, "rollups", display=1, page_size=1)[0]["step_display"] == "hour"
    assert rows(owner, "rollups", display=1, fields="step", page_size=1) == [{"step": 3600, "step_display": "hour"}]
    row = rows(owner, "contracts", display=1)
    assert row == []


def test_what_differs_is_told_once(owner: APIClient) -> None:
    meters()
    assert rows(owner, "meters", distinct=1, fields="mode") == [{"mode": "standard"}]
    first = rows(owner, "meters", distinct="mode,timezone", fields="name")
    assert first == [{"name": "Meter 0"}]


def test_aggregates_are_what_python_says(owner: APIClient) -> None:
    hours()
    energies = [row.east for row in Rollup.objects.all() if row.east is not None]
    found = rows(
        owner, "rollups", count="east,distinct(meter):meters", sum="east:total", avg="east", min="east,start:first",
        max="east", stddev="east", variance="east",
    )[0]  # fmt: skip
    assert found == {
        "count_east": 4,
        "meters": 1,
        "total": sum(energies),
        "avg_east": statistics.mean(energies),
        "min_east": min(energies),
        "first": "2026-01-31T22:00:00+01:00",
        "max_east": max(energies),
        "stddev_east": pytest.approx(statistics.pstdev(energies)),
        "variance_east": pytest.approx(statistics.pvariance(energies)),
    }


def test_energy_by_month_and_cost_by_period_take_one_call(owner: APIClient) -> None:
    hours()  # 22, 23 h of January and 0, 1 h of February, Paris time
    assert rows(owner, "rollups", group_by="trunc_month(start):month", sum="east:wh") == [
        {"month": "2026-01-01T00:00:00+01:00", "wh": 100},
        {"month": "2026-02-01T00:00:00+01:00", "wh": 500},
    ]
    costs()
    found = rows(owner, "day-costs", group_by="extract_year(day):year,period", sum="amount:eur,wh", order_by="-eur")
    assert found == [{"year": 2020, "period": "hp", "eur": "4.5", "sum_wh": 6}]


def test_both_equal_hours_of_october_are_told_apart(owner: APIClient) -> None:
    (meter, *_), start = meters(), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    Rollup.objects.bulk_create(
        Rollup(meter=meter, step=1800, start=start + timedelta(minutes=30 * n), east=1) for n in range(3)
    )
    assert [row["wh"] for row in rows(owner, "rollups", group_by="trunc_hour(start)", sum="east:wh")] == [1, 2]


def test_functions_are_what_python_says(owner: APIClient) -> None:
    contracts()
    DayCost.objects.create(meter=meters()[0], day=datetime(2026, 3, 5, 23, tzinfo=UTC), amount=Decimal("-1.23456"))
    terms = {
        "round(amount,2)": "-1.23", "abs(amount)": "1.23456", "cast(amount,integer)": -1, "extract_hour(day)": 0,
        "cast(day,date)": "2026-03-06", "upper(direction)": "DRAWN", "extract_week(day)": 10,
        "extract_iso_week_day(day)": 5,
        "trunc_day(day)": "2026-03-06T00:00:00+01:00", "trunc_quarter(day)": "2026-01-01T00:00:00+01:00",
        "coalesce(wh,7)": 7, "cast(coalesce(wh,7),text)": "7", "coalesce(wh,extract_day(day))": 6,
    }  # fmt: skip
    asked = ",".join(f"{term}:t{n}" for n, term in enumerate(terms))
    (row,) = rows(owner, "day-costs", fields=asked)
    assert dict(zip(terms, row.values(), strict=True)) == terms


def test_times_of_the_day_are_taken_apart(owner: APIClient) -> None:
    from storage.tariffs.models import OffPeakSlot  # noqa: PLC0415  only here

    OffPeakSlot.objects.create(meter=meters()[0], begins=time(22, 30), ends=time(6))
    (row,) = rows(owner, "off-peak-slots", fields="extract_hour(begins):h,extract_minute(begins):m,begins")
    assert row == {"h": 22, "m": 30, "begins": "22:30:00"}
    assert rows(owner, "off-peak-slots", begins__gte="22:00")[0]["begins"] == "22:30:00"


@LIBRARY
def test_rows_are_not_multiplied_by_what_is_linked_to_many(owner: APIClient) -> None:
    book = Book.objects.create(title="Nana", author=Author.objects.create(name="Zola"))
    book.tags.set([Tag.objects.create(word=word) for word in "abc"])
    assert len(rows(owner, "/shelf/books/")[0]["tags"]) == 3
    assert "tags" in refused(owner, "/shelf/books/", tags=1)
    assert "tags.word" in refused(owner, "/shelf/books/", **{"tags.word": "a"})


# --- how much ------------------------------------------------------------------------------------


def test_everything_on_one_page_has_a_limit(owner: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    meters()
    assert len(rows(owner, "meters", all=1, page_size=1)) == 3
    monkeypatch.setattr(answering, "MOST_AT_ONCE", 2)
    assert "narrow it" in refused(owner, "meters", all=1)["all"][0]


def test_what_is_computed_has_a_limit(owner: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    meters()
    monkeypatch.setattr(answering, "MOST_COUNTED", 2)
    for params in (
        {"count": "id"},
        {"group_by": "mode"},
        {"distinct": "1", "fields": "mode"},
        {"distinct": "mode"},
        {"annotate": "lower(name):a", "a": "x"},
        {"filters": "a:x", "annotate": "lower(name):a"},
        {"annotate": "lower(name):a", "order_by": "a"},
    ):
        assert "narrow it" in refused(owner, "meters", **params)["detail"]
    assert rows(owner, "meters", count="id:n", power=3) == [{"n": 1}]
    assert rows(owner, "meters", annotate="lower(name):a", a="meter 1", power=3, fields="a") == [{"a": "meter 1"}]
    assert len(rows(owner, "meters", fields="lower(name):a")) == 3


def test_readings_are_asked_for_a_stretch_of_time(owner: APIClient) -> None:
    epoch, new = epochs()[0], readings()
    old = Data.objects.create(
        meter=epoch.meter, epoch=epoch, seq=9, dateTime=datetime(2021, 1, 1, 12, tzinfo=UTC), east=1
    )
    assert [row["seq"] for row in rows(owner, "readings")] == [1, 2, 3]
    for bounds in (
        {"dateTime__gte": "2021-01-01"}, {"dateTime__lt": "2021-01-10"}, {"dateTime__range": "2021-01-01,2021-01-03"},
        {"filters": "and(dateTime__gte:2020-12-31,dateTime__lt:2021-01-20)"},
    ):  # fmt: skip
        assert [row["id"] for row in rows(owner, "readings", **bounds)] == [old.pk], bounds
    too_long = refused(owner, "readings", dateTime__gte="2021-01-01", dateTime__lt="2021-06-01")
    assert "at most 31 days" in too_long["dateTime"][0]
    assert owner.get(f"/api/v1/readings/{old.pk}/").json()["east"] == 1
    assert len(new) == 3


@pytest.mark.sqlite
def test_a_stretch_of_readings_is_found_by_the_index(owner: APIClient) -> None:
    readings()
    with CaptureQueriesContext(connection) as asked:
        assert len(rows(owner, "readings")) == 3
    (statement,) = [query["sql"] for query in asked if "LIMIT" in query["sql"] and "storage_data" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        plan = " ".join(str(row[3]) for row in cursor.fetchall())
    assert "SEARCH storage_data USING INDEX data_meter_time (meter_id=? AND dateTime>?)" in plan


def test_a_sum_that_no_number_can_hold_is_refused(owner: APIClient) -> None:
    for epoch in epochs()[:2]:
        epoch.handled = 2**63 - 1
        epoch.save(update_fields=["handled"])
    answer = owner.get("/api/v1/epochs/", {"sum": "handled"})
    assert answer.status_code == (400 if connection.vendor == "sqlite" else 200)  # PostgreSQL can count so far
    assert owner.get("/api/v1/epochs/", {"annotate": "abs(handled):n", "order_by": "n"}).status_code == 200


def test_the_page_tells_what_was_understood(owner: APIClient) -> None:
    meters()
    page = owner.get("/api/v1/meters/", {"power": "3", "nmae": "x", "silent": "1"}).json()
    assert page["options"]["understood"] == {"power": "3", "silent": "1"}
    assert list(page["options"]["ignored"]) == ["nmae"]
    assert page["count"] == 1
    assert Meter.objects.count() == 3
