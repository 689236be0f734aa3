"""No question reads a table from end to end."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Final

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage import queries
from storage.models import Meter, Rollup
from tests.storage.engine import Said
from tests.storage.queries.histories import ms_of, thin, write
from tests.storage.web.samples import NOON

pytestmark = pytest.mark.django_db

# What a plan says of a table that is read from end to end, be it along an index.
WHOLE: Final = {
    "sqlite": re.compile(r"^SCAN (storage_(?:data|rollup|gap|epoch))\b", re.MULTILINE),
    "postgresql": re.compile(r"Seq Scan on (storage_(?:data|rollup))\b"),
}
DAY: Final = timedelta(days=1)
TODAY: Final = date(2026, 11, 21)
ASKED: Final[dict[str, Callable[[Meter], object]]] = {
    "latest": queries.latest,
    "curve of an hour": lambda m: queries.curve(m, NOON - timedelta(hours=1), NOON),
    "curve of a day": lambda m: queries.curve(m, NOON - DAY, NOON),
    "curve of a month": lambda m: queries.curve(m, NOON - 30 * DAY, NOON),
    "curve of three years": lambda m: queries.curve(m, NOON - 1100 * DAY, NOON),
    "totals": lambda m: queries.totals(m, NOON - timedelta(hours=20, minutes=7), NOON - timedelta(minutes=3)),
    "days": lambda m: queries.days(m, TODAY - 30 * DAY, TODAY),
    "tempo days": lambda m: queries.tempo_days(m, TODAY - 30 * DAY, TODAY),
    "months": lambda m: queries.months(m, TODAY - 300 * DAY, TODAY),
    "index": lambda m: queries.index_at(m, NOON - timedelta(minutes=3)),
    "half hours": lambda m: queries.energies(m, NOON - DAY, NOON, step=Rollup.Step.HALF_HOUR),
    "profile": lambda m: queries.profile(m, NOON - 30 * DAY, NOON),
    "standby": lambda m: queries.standby(m, TODAY),
    "peaks": lambda m: queries.peaks(m, NOON - 30 * DAY, NOON),
    "gaps": lambda m: queries.gaps(m, NOON - 30 * DAY, NOON),
}


@pytest.fixture
def meter() -> Meter:
    minute = timedelta(minutes=1)
    said = [Said(ms_of(NOON - n * minute), {"east": 9000 - n, "sinsts": 60}) for n in range(900, -1, -1) if n % 90 > 9]
    return write(said)


@contextmanager
def _without_shortcuts() -> Iterator[None]:
    """PostgreSQL reads a small table whole because that is cheap, which proves nothing of a large one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
    yield


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"{'EXPLAIN QUERY PLAN' if connection.vendor == 'sqlite' else 'EXPLAIN'} {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def whole_tables(ask: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        ask()
    assert asked.captured_queries
    with _without_shortcuts():
        plans = [plan(one["sql"]) for one in asked.captured_queries if one["sql"].startswith("SELECT")]
    return [table for text in plans for table in WHOLE[connection.vendor].findall(text)]


@pytest.mark.parametrize("what", ASKED)
@pytest.mark.parametrize("thinned", [False, True], ids=["whole", "thinned"])
def test_a_question_uses_an_index(meter: Meter, what: str, thinned: bool) -> None:
    if thinned:
        thin(meter, minutes=True)
    assert whole_tables(lambda: ASKED[what](meter)) == []


def test_a_table_that_is_read_whole_is_seen(meter: Meter) -> None:
    assert whole_tables(lambda: list(Rollup.objects.filter(readings=meter.pk + 5))) == ["storage_rollup"]
