"""Migrations are whole or not there, and do not stumble over views."""

from __future__ import annotations

import pytest
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.operations.base import Operation

from storage.executor import Executor
from storage.models import Meter


def later(*operations: Operation, atomic: bool = True) -> Migration:
    made = type("Migration", (Migration,), {"operations": list(operations), "atomic": atomic})
    migration: Migration = made("9999_later", "storage")
    return migration


def applied(executor: Executor) -> bool:
    return ("storage", "9999_later") in executor.recorder.applied_migrations()


def there_and_back(migration: Migration) -> list[bool]:
    """Whether it is noted as applied, before, in between and after; what is told meanwhile is checked."""
    events: list[str] = []
    executor = Executor(connection, lambda event, *_: events.append(event))
    state = executor.loader.project_state()
    noted = [applied(executor)]
    executor.apply_migration(state.clone(), migration)
    noted.append(applied(executor))
    executor.unapply_migration(state, migration)
    noted.append(applied(executor))
    assert events == ["apply_start", "apply_success", "unapply_start", "unapply_success"]
    return noted


@pytest.mark.django_db(transaction=True)
def test_a_table_that_a_view_looks_at_can_be_changed() -> None:
    """Which SQLite refuses by itself."""
    Meter.objects.create(meter_id="m", timezone="Europe/Paris")
    change = later(
        migrations.AddField("meter", "note", models.CharField(max_length=9, default="")),
        migrations.AlterField("meter", "timezone", models.CharField(max_length=99)),
    )
    assert there_and_back(change) == [False, True, False]
    assert Meter.objects.values_list("meter_id", "timezone").get() == ("m", "Europe/Paris")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM daily")
        assert cursor.fetchone() == (0,)


@pytest.mark.django_db(transaction=True)
def test_a_table_that_changes_its_name_is_followed_by_its_keys() -> None:
    state = Executor(connection).loader.project_state()
    change = later(
        migrations.CreateModel("One", [("id", models.BigAutoField(primary_key=True))]),
        migrations.CreateModel(
            "Two",
            [("id", models.BigAutoField(primary_key=True)), ("one", models.ForeignKey("storage.One", models.CASCADE))],
        ),
        migrations.RenameModel("One", "Uno"),
    )
    executor = Executor(connection)
    executor.apply_migration(state.clone(), change)
    with connection.cursor() as cursor:
        keys = connection.introspection.get_relations(cursor, "storage_two")
    executor.unapply_migration(state, change)
    assert [target for _, target, *_ in keys.values()] == ["storage_uno"]


@pytest.mark.django_db(transaction=True)
def test_what_is_not_atomic_or_only_noted_goes_djangos_way() -> None:
    change = later(migrations.RunSQL(["CREATE TABLE later (id int)"], ["DROP TABLE later"]), atomic=False)
    assert there_and_back(change) == [False, True, False]
    executor = Executor(connection)
    state = executor.loader.project_state()
    executor.apply_migration(state.clone(), change, fake=True)
    assert (applied(executor), "later" in connection.introspection.table_names()) == (True, False)
    executor.unapply_migration(state, change, fake=True)
    assert not applied(executor)


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_fails_is_not_noted_and_leaves_nothing() -> None:
    change = later(
        migrations.CreateModel("One", [("id", models.BigAutoField(primary_key=True))]),
        migrations.RunSQL(["NONSENSE"]),
    )
    executor = Executor(connection)
    with pytest.raises(Exception, match="NONSENSE"):
        executor.apply_migration(executor.loader.project_state(), change)
    assert (applied(executor), "storage_one" in connection.introspection.table_names()) == (False, False)
