"""SQL of each engine in migrations, and the view that is made by it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.core import management
from django.core.serializers import serialize
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.test import TransactionTestCase

from storage.models import Meter, Rollup, Store
from storage.vendorsql import GENERIC, VendorSQL
from tests.storage.scratch import Scratch

BODY = "INSERT INTO seen VALUES ('trigger;'); "
TRIGGER = {
    "sqlite": [
        "CREATE TABLE seen (what text)",
        f"CREATE TRIGGER told AFTER INSERT ON seen WHEN new.what = 'generic' BEGIN {BODY} END",
    ],
    "postgresql": [
        "CREATE TABLE seen (what text)",
        f"CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {BODY} RETURN new; END $$",
        "CREATE TRIGGER told AFTER INSERT ON seen FOR EACH ROW WHEN (new.what = 'generic') EXECUTE FUNCTION tell()",
    ],
    "oracle": ["NEVER RUN"],
    GENERIC: ["INSERT INTO seen VALUES ('generic')"],
}
BACK = {
    GENERIC: ["DELETE FROM seen WHERE what = 'generic'"],
    "sqlite": ["DROP TABLE seen"],
    "postgresql": ["DROP TABLE seen", "DROP FUNCTION tell"],
}


def run(operation: VendorSQL, *, forwards: bool = True) -> None:
    state = ProjectState()
    with connection.schema_editor() as editor:
        step = operation.database_forwards if forwards else operation.database_backwards
        step("storage", editor, state, state)


def seen() -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT what FROM seen ORDER BY what")
        return list(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_what_is_specific_runs_before_what_is_generic_and_is_taken_away_after_it() -> None:
    operation = VendorSQL(TRIGGER, BACK)
    run(operation)
    assert seen() == [("generic",), ("trigger;",)]
    run(operation, forwards=False)
    assert "seen" not in connection.introspection.table_names()


class _Editor:
    """Notes what would be run."""

    def __init__(self, vendor: str) -> None:
        self.ran: list[str] = []
        self.connection: Any = type("Connection", (), {"vendor": vendor, "alias": "default"})

    def execute(self, sql: str, params: object = ()) -> None:
        assert params is None, "a percent sign is one"
        self.ran.append(sql)


@pytest.mark.parametrize(
    ("vendor", "forwards", "backwards"),
    [
        ("postgresql", ["a", "b", "all"], ["undo all", "undo"]),
        ("sqlite", ["all"], ["undo all"]),
        ("mysql", ["all"], ["undo all"]),
    ],
)
def test_an_engine_that_is_not_named_runs_the_generic_statements_alone(
    vendor: str, forwards: list[str], backwards: list[str]
) -> None:
    operation = VendorSQL({GENERIC: ["all"], "postgresql": ["a", "b"]}, {"postgresql": ["undo"], GENERIC: ["undo all"]})
    editor: Any = _Editor(vendor)
    state = ProjectState()
    operation.database_forwards("storage", editor, state, state)
    assert editor.ran == forwards
    editor.ran.clear()
    operation.database_backwards("storage", editor, state, state)
    assert editor.ran == backwards


def test_without_a_way_back_there_is_none() -> None:
    operation = VendorSQL({"sqlite": ["a"]})
    assert (operation.reversible, VendorSQL({}, {}).reversible) == (False, True)
    editor: Any = _Editor("sqlite")
    with pytest.raises(NotImplementedError):
        operation.database_backwards("storage", editor, ProjectState(), ProjectState())


def test_a_text_is_no_list_of_statements() -> None:
    with pytest.raises(TypeError, match="a list of statements"):
        VendorSQL({"sqlite": "DROP TABLE a"})


def test_it_is_written_as_it_was_made_and_changes_the_state_as_it_is_told() -> None:
    model = migrations.CreateModel("Seen", [("what", models.TextField(primary_key=True))])
    operation = VendorSQL(TRIGGER, BACK, state_operations=[model])
    name, arguments, named = operation.deconstruct()
    assert (name, arguments) == ("VendorSQL", [])
    assert VendorSQL(*arguments, **named).deconstruct() == (name, arguments, named)
    state = ProjectState()
    operation.state_forwards("storage", state)
    assert ("storage", "seen") in state.models


# --- the chain -----------------------------------------------------------------------------------


@pytest.mark.long
def test_what_migrations_make_they_take_away_and_a_second_time_makes_the_same(scratch: Scratch) -> None:
    scratch.migrate()
    everything = scratch.objects()
    scratch.migrate("tariffs", "zero")  # it builds on these tables
    scratch.migrate("storage", "0006")
    made = scratch.objects()
    ours = {"daily"} if scratch.is_sqlite else {"daily", "data_time_brin"}
    assert ours <= made
    scratch.migrate("storage", "0003")
    assert made - scratch.objects() == ours
    scratch.migrate("storage", "zero")
    assert {name for name in scratch.objects() if "storage_" in name} == set()
    scratch.migrate()
    assert scratch.objects() == everything


def test_sqlmigrate_prints_the_statements_of_this_engine(scratch: Scratch) -> None:
    forwards = scratch.manage("sqlmigrate", "storage", "0004")
    backwards = scratch.manage("sqlmigrate", "--backwards", "storage", "0004")
    word = "unixepoch" if scratch.is_sqlite else "interval '1 second'"
    assert (forwards.code, "CREATE VIEW daily AS" in forwards.out, word in forwards.out) == (0, True, True)
    assert (backwards.code, "DROP VIEW daily;" in backwards.out) == (0, True)


# --- rows that a migration inserts, in tests -----------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_rows_of_a_migration_are_gone_after_a_test_with_transactions_unless_it_asks_for_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    insert = "INSERT INTO storage_store (store_id) VALUES ('inserted')"
    run(VendorSQL({GENERIC: [insert]}, {}))
    text = serialize("json", Store.objects.all())
    monkeypatch.setattr(connection, "_test_serialized_contents", text, raising=False)
    management.call_command("flush", verbosity=0, interactive=False)
    assert Store.objects.count() == 0
    found: list[str] = []

    class Asking(TransactionTestCase):  # here, or pytest would run it too
        serialized_rollback = True

        def test_rows(self) -> None:
            found.extend(Store.objects.values_list("store_id", flat=True))

    Asking("test_rows").debug()
    assert found == ["inserted"]


# --- daily ---------------------------------------------------------------------------------------

DAY = datetime(2026, 7, 1, 22, tzinfo=UTC)  # midnight of the 2nd in Paris


def days() -> list[dict[str, Any]]:  # of any column
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM daily ORDER BY meter_id, day")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def told(row: dict[str, Any]) -> tuple[str, float | None, float | None, int | None, bool, str]:
    total, injected = (None if row[f"{n}_kwh"] is None else float(row[f"{n}_kwh"]) for n in ("total", "injected"))
    return str(row["day"]), total, injected, row["max_va"], bool(row["estimated"]), row["origin"]


@pytest.mark.django_db
def test_a_day_is_a_line_in_kwh_under_its_own_date() -> None:
    meter = Meter.objects.create(meter_id="021861000001", timezone="Europe/Paris")
    Rollup.objects.create(
        meter=meter, step=86400, start=DAY, readings=9, east=12_345, easf01=12_000, easf10=345, eait=7, sinsts_max=5400
    )
    Rollup.objects.create(meter=meter, step=3600, start=DAY, readings=9, east=1)
    [row] = days()
    assert {name: float(value) for name, value in row.items() if name.endswith("_kwh") and value is not None} == {
        name: pytest.approx(value)
        for name, value in (("total_kwh", 12.345), ("easf01_kwh", 12), ("easf10_kwh", 0.345), ("injected_kwh", 0.007))
    }
    assert (row["meter_id"], told(row)) == (
        "021861000001", ("2026-07-02", 12.345, 0.007, 5400, False, "meter")
    )  # fmt: skip
    assert len([name for name in row if name.startswith("easf")]) == 10


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("start", "day"),
    [
        (datetime(2026, 3, 28, 23, tzinfo=UTC), date(2026, 3, 29)),  # Paris, 23 hours
        (datetime(2026, 10, 24, 22, tzinfo=UTC), date(2026, 10, 25)),  # 25 hours
        (datetime(2026, 7, 1, 20, tzinfo=UTC), date(2026, 7, 2)),  # La Réunion
        (datetime(2026, 7, 2, 10, tzinfo=UTC), date(2026, 7, 2)),  # Tahiti
        (datetime(2026, 7, 1, 13, tzinfo=UTC), date(2026, 7, 2)),  # Nouméa
        (datetime(2026, 7, 1, 12, tzinfo=UTC), date(2026, 7, 2)),  # Wallis
    ],
)
def test_the_date_is_the_local_one_wherever_there_are_such_meters(start: datetime, day: date) -> None:
    Rollup.objects.create(meter=Meter.objects.create(meter_id="m"), step=86400, start=start, east=1)
    assert [str(row["day"]) for row in days()] == [day.isoformat()]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("mine", "file", "line"),
    [
        ({"east": 1000, "readings": 9}, {"east": 2000}, (1.0, None, "meter")),
        ({"east": 1000, "readings": 9, "estimated": True}, {"east": 2000}, (1.0, None, "meter")),
        ({"east": 1000, "readings": 0, "estimated": True}, {"east": 2000}, (2.0, None, "enedis")),
        ({"readings": 9}, {"eait": 2000}, (None, 2.0, "enedis")),
        ({"east": 1000, "readings": 0, "estimated": True}, None, (1.0, None, "meter")),
        (None, {"east": 2000}, (2.0, None, "enedis")),
    ],
)
def test_of_a_day_told_twice_there_is_one_line(
    mine: dict[str, Any] | None, file: dict[str, Any] | None, line: tuple[float | None, float | None, str]
) -> None:
    meter = Meter.objects.create(meter_id="m")
    for origin, fields in ((0, mine), (1, file)):
        if fields is not None:
            Rollup.objects.create(meter=meter, step=86400, start=DAY, origin=origin, **fields)
    [row] = days()
    assert (told(row)[1], told(row)[2], told(row)[5]) == line
