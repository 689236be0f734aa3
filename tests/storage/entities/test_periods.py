"""The database's own watch over periods."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, NotSupportedError, connection, migrations, models, transaction
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from storage.entities.checks import series_are_declared
from storage.entities.periods import NoOverlap, drop_no_overlap_sql, no_overlap_sql, periods
from tests.storage.entities.library.models import Fee, Opening

MAY, JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7, 8))


def fee(start: datetime, end: datetime | None = None, kind: str = "adult") -> Fee:
    return Fee(kind=kind, amount=1, start_date=start, end_date=end)


OVERLAPPING = [
    (JUNE, JULY),  # the same
    (MAY, None),  # around it, open
    (MAY, AUGUST),
    (datetime(2026, 6, 10, tzinfo=UTC), datetime(2026, 6, 20, tzinfo=UTC)),  # inside
    (datetime(2026, 6, 30, 23, 59, 59, 999999, tzinfo=UTC), None),  # by a microsecond
    (MAY, datetime(2026, 6, 1, 0, 0, 0, 1, tzinfo=UTC)),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("start", "end"), OVERLAPPING)
def test_the_database_refuses_what_overlaps(start: datetime, end: datetime | None) -> None:
    fee(JUNE, JULY).save()
    other = fee(start, end)
    with pytest.raises(ValidationError, match="Another version of the same series"):
        other.validate_constraints()
    with pytest.raises(IntegrityError, match=r"fee_series|periods of one series overlap"), transaction.atomic():
        Fee.objects.bulk_create([other])  # past every check of ours
    elsewhere = fee(AUGUST)
    elsewhere.save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Fee.objects.filter(pk=elsewhere.pk).update(start_date=start, end_date=end)
    assert Fee.objects.count() == 2


@pytest.mark.django_db
def test_two_open_versions_overlap() -> None:
    fee(JUNE).save()
    with pytest.raises(IntegrityError), transaction.atomic():
        fee(JULY).save()


@pytest.mark.django_db
def test_what_touches_does_not_overlap_nor_do_other_series() -> None:
    for row in (fee(JUNE, JULY), fee(MAY, JUNE), fee(JULY), fee(JUNE, kind="child")):
        row.validate_constraints()
        row.save()
    assert Fee.objects.count() == 4


@pytest.mark.django_db
def test_a_row_may_be_moved_over_its_own_place() -> None:
    row = fee(JUNE, JULY)
    row.save()
    row.start_date, row.end_date = MAY, AUGUST
    row.full_clean()
    row.save()
    row.refresh_from_db()
    assert (row.start_date, row.end_date) == (MAY, AUGUST)


@pytest.mark.django_db
def test_a_row_that_joins_another_series_must_find_room_there() -> None:
    fee(JUNE).save()
    fee(JUNE, kind="child").save()
    with pytest.raises(IntegrityError), transaction.atomic():
        Fee.objects.filter(kind="child").update(kind="adult")


@pytest.mark.django_db
def test_a_table_may_be_one_series() -> None:
    Opening.objects.create(hours="9-12", start_date=MAY)
    with pytest.raises(IntegrityError), transaction.atomic():
        Opening.objects.create(hours="9-17", start_date=JUNE)


@pytest.mark.django_db
@pytest.mark.parametrize("end", [MAY, JUNE])
def test_a_version_ends_after_it_begins(end: datetime) -> None:
    row = fee(JUNE, end)
    with pytest.raises(ValidationError, match="ends before it begins"):
        row.validate_constraints()
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


# --- in the schema -------------------------------------------------------------------------------


CREATE = migrations.CreateModel(
    "Tried",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("series", models.IntegerField(null=True)),
        ("begins", models.DateTimeField()),
        ("ends", models.DateTimeField(null=True)),
    ],
)
RULE = NoOverlap(fields=["series"], start="begins", end="ends", name="tried_series")


class Migrated:
    """A table that grows by operations of migrations, and goes back by them."""

    def __init__(self) -> None:
        self.states = [ProjectState()]
        self.done: list[Operation] = []

    def forwards(self, operation: Operation) -> None:
        before, after = self.states[-1], self.states[-1].clone()
        operation.state_forwards("library", after)
        with connection.schema_editor() as editor:
            operation.database_forwards("library", editor, before, after)
        self.states.append(after)
        self.done.append(operation)

    def backwards(self) -> None:
        after, operation = self.states.pop(), self.done.pop()
        with connection.schema_editor() as editor:
            operation.database_backwards("library", editor, after, self.states[-1])

    def model(self, name: str = "Tried") -> Any:
        return self.states[-1].apps.get_model("library", name)


@pytest.fixture
def migrated() -> Iterator[Migrated]:
    table = Migrated()
    yield table
    while table.done:
        table.backwards()


def overlaps(model: Any, series: int | None = 1) -> bool:
    """Whether the table takes rows that overlap; it is left empty."""
    try:
        with transaction.atomic():
            for _ in range(2):
                model.objects.create(series=series, begins=MAY, ends=JUNE)
    except IntegrityError:
        return False
    model.objects.all().delete()
    return True


@pytest.mark.django_db(transaction=True)
def test_the_rule_comes_and_goes_with_migrations_and_outlives_a_rebuilt_table(migrated: Migrated) -> None:
    """SQLite rebuilds the table for most of these; triggers that a RunSQL had made would be gone."""
    migrated.forwards(CREATE)
    assert overlaps(migrated.model())
    for operation in (
        migrations.AddConstraint("Tried", RULE),
        migrations.AddField("Tried", "note", models.CharField(max_length=9, default="", db_default="")),
        migrations.AlterField("Tried", "series", models.BigIntegerField(null=True)),
        migrations.AlterModelTable("Tried", "renamed"),
    ):
        migrated.forwards(operation)
        assert not overlaps(migrated.model()), operation
    migrated.forwards(migrations.RemoveConstraint("Tried", RULE.name))
    assert overlaps(migrated.model())
    verdicts = []
    while len(migrated.done) > 1:
        migrated.backwards()
        verdicts.append(overlaps(migrated.model()))
    assert verdicts == [False, False, False, False, True]


@pytest.mark.django_db(transaction=True)
def test_a_table_is_created_with_its_rule(migrated: Migrated) -> None:
    migrated.forwards(migrations.CreateModel("Tried", CREATE.fields, {"constraints": [RULE]}))
    assert not overlaps(migrated.model())
    assert overlaps(migrated.model(), series=None)  # like no other, as in a unique constraint


@pytest.mark.django_db(transaction=True)
def test_the_statements_can_be_run_by_hand_and_undone(migrated: Migrated) -> None:
    migrated.forwards(CREATE)
    given: Any = {"name": "by_hand", "table": '"library_tried"'}
    columns: Any = {"key": '"id"', "series": ['"series"'], "start": '"begins"', "end": '"ends"'}
    with connection.cursor() as cursor:
        for statement in no_overlap_sql(connection.vendor, **given, **columns):
            cursor.execute(statement)
        assert not overlaps(migrated.model())
        for statement in drop_no_overlap_sql(connection.vendor, **given):
            cursor.execute(statement)
    assert overlaps(migrated.model())


@pytest.mark.django_db(transaction=True)
def test_sqlite_forgets_statements_run_by_hand_when_django_rebuilds_the_table(migrated: Migrated) -> None:
    """Why the rule is a constraint."""
    migrated.forwards(CREATE)
    columns: Any = {"key": '"id"', "series": ['"series"'], "start": '"begins"', "end": '"ends"'}
    with connection.cursor() as cursor:
        for statement in no_overlap_sql(connection.vendor, name="by_hand", table='"library_tried"', **columns):
            cursor.execute(statement)
    migrated.forwards(migrations.AlterField("Tried", "series", models.BigIntegerField(null=True)))
    assert overlaps(migrated.model()) == (connection.vendor == "sqlite")


def test_a_database_without_a_way_is_named() -> None:
    with pytest.raises(NotSupportedError, match="overlapping periods on oracle"):
        no_overlap_sql("oracle", name="n", table="t", key="k", series=[], start="s", end="e")


def test_a_rule_is_written_to_migrations_as_it_is() -> None:
    for rule in (*periods("kind"), NoOverlap(fields=["a"], start="b", end="c", name="n")):
        path, arguments, options = rule.deconstruct()
        assert rule.__class__(*arguments, **options) == rule
        assert rule.clone() == rule
        assert path.startswith(("storage.entities.periods.", "django.db.models."))
    assert NoOverlap(fields=["a"], name="n") != NoOverlap(fields=["b"], name="n")


def test_every_perishable_model_names_its_series(monkeypatch: pytest.MonkeyPatch) -> None:
    assert series_are_declared() == []
    monkeypatch.setattr(Opening._meta, "constraints", [])
    assert [(found.id, found.msg) for found in series_are_declared()] == [
        ("entities.E001", "library.Opening is perishable and has no series.")
    ]
