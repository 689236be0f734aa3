"""What the database does with our questions: never all of a table for a day of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import QuerySet

from storage.models import Data
from storage.queries import latest
from storage.writer import insert
from tests.storage.test_writer import epoch_of

DAY = datetime(2026, 11, 1, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def month() -> None:
    """Thirty days of two meters, one reading in five minutes."""
    for meter in ("m", "other"):
        epoch = epoch_of(meter)
        head = {"meter": epoch.meter_id, "epoch": epoch.pk}
        insert([{**head, "seq": n, "dateTime": DAY + n * timedelta(minutes=5), "sinsts": n} for n in range(1, 8641)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        if connection.vendor == "postgresql":  # what autosummarize does in its own time
            cursor.execute("SELECT brin_summarize_new_values('data_time_brin')")


def plan(question: QuerySet[Data]) -> str:
    text: str = question.explain()
    return text


@pytest.mark.usefixtures("month")
def test_a_day_of_a_meter_is_found_by_its_index() -> None:
    day = Data.objects.filter(meter=epoch_of().meter, dateTime__gte=DAY, dateTime__lt=DAY + timedelta(days=1))
    assert "data_meter_time" in plan(day)


@pytest.mark.usefixtures("month")
def test_the_newest_reading_of_a_meter_is_found_by_its_index() -> None:
    assert "data_meter_time" in plan(Data.objects.filter(meter=epoch_of().meter).order_by("-dateTime")[:1])
    newest = latest(epoch_of().meter)
    assert newest is not None
    assert newest.seq == 8640


@pytest.mark.postgresql
@pytest.mark.usefixtures("month")
def test_an_hour_of_all_meters_is_found_by_the_blocks_of_that_time() -> None:
    hour = Data.objects.filter(dateTime__gte=DAY, dateTime__lt=DAY + timedelta(hours=1))
    assert "data_time_brin" in plan(hour)
