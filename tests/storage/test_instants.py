"""Instants as whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.core import serializers
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models.functions import ExtractHour, TruncDay

from storage.instants import InstantField
from storage.models import Meter, Rollup

TEN = datetime(2026, 11, 21, 10, tzinfo=UTC)
EAST = timezone(timedelta(hours=1))


@pytest.mark.django_db
def test_an_instant_is_kept_as_seconds_and_comes_back_in_utc() -> None:
    meter = Meter.objects.create(meter_id="m")
    Rollup.objects.create(meter=meter, step=60, start=datetime(2026, 11, 21, 11, 0, 0, 900_000, EAST))
    assert Rollup.objects.values_list("start", flat=True).get() == TEN
    with connection.cursor() as cursor:
        cursor.execute("SELECT start FROM storage_rollup")
        assert cursor.fetchone() == (1_795_255_200,)
    assert Rollup.objects.filter(start__gte=TEN, start__lt=TEN + timedelta(seconds=1)).count() == 1


@pytest.mark.django_db
def test_the_database_takes_an_instant_apart() -> None:
    meter = Meter.objects.create(meter_id="m", raw_since=TEN)
    Meter.objects.create(meter_id="n")
    time = InstantField.as_datetime("raw_since")
    found = Meter.objects.order_by("pk").values_list(ExtractHour(time, tzinfo=EAST), TruncDay(time, tzinfo=EAST))
    assert list(found) == [(11, TEN.astimezone(EAST).replace(hour=0)), (None, None)]
    assert meter.raw_since == TEN


@pytest.mark.django_db
def test_an_instant_goes_through_a_fixture() -> None:
    meter = Meter.objects.create(meter_id="m", raw_since=TEN)
    for form in ("json", "xml"):
        [loaded] = serializers.deserialize(form, serializers.serialize(form, [meter]))
        assert isinstance(loaded.object, Meter)
        assert loaded.object.raw_since == TEN


@pytest.mark.parametrize(
    ("given", "read"),
    [(None, None), (1_795_255_200, TEN), ("1795255200", TEN), ("2026-11-21T11:00:00+01:00", TEN), (TEN, TEN)],
)
def test_what_forms_and_fixtures_give_is_read(given: object, read: datetime | None) -> None:
    assert InstantField().to_python(given) == read


@pytest.mark.parametrize("given", ["soon", "2026-11-21T11:00:00", TEN.replace(tzinfo=None)])
def test_what_is_no_instant_is_refused(given: object) -> None:
    with pytest.raises(ValidationError):
        InstantField().to_python(given)


def test_a_naive_time_is_no_instant() -> None:
    with pytest.raises(ValueError, match="offset"):
        InstantField().get_prep_value(TEN.replace(tzinfo=None))
