"""Migrations that are whole or not there at all, whenever they are killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations import AlterModelTable, RenameModel
from django.db.migrations.state import ProjectState


class Executor(MigrationExecutor):
    """Django's, which commits most migrations first and notes them as applied after it.

    Killed in between, it would apply them again at the next start and fail: the tables are there. Here the note is in
    the migration's own transaction.
    """

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        if fake or fake_initial or not migration.atomic:
            return super().apply_migration(state, migration, fake, fake_initial)
        self._tell("apply_start", migration)
        with self._editor(migration) as editor:
            state = migration.apply(state, editor)
            for app, name in migration.replaces or [(migration.app_label, migration.name)]:
                self.recorder.record_applied(app, name)
        self._tell("apply_success", migration)
        return state

    def unapply_migration(self, state: ProjectState, migration: Migration, fake: bool = False) -> ProjectState:
        if fake or not migration.atomic:
            return super().unapply_migration(state, migration, fake)
        self._tell("unapply_start", migration)
        with self._editor(migration) as editor:
            state = migration.unapply(state, editor)
            for app, name in migration.replaces:
                self.recorder.record_unapplied(app, name)
            self.recorder.record_unapplied(migration.app_label, migration.name)
        self._tell("unapply_success", migration)
        return state

    def _tell(self, event: str, migration: Migration) -> None:
        if self.progress_callback is not None:
            self.progress_callback(event, migration, False)

    @contextmanager
    def _editor(self, migration: Migration) -> Iterator[BaseDatabaseSchemaEditor]:
        """To change a column, Django makes SQLite's table anew under another name and gives it back its own.

        Modern SQLite refuses that where a view looks at the table, be it ours or the owner's; in its old way it does
        not look at views. But then it does not follow a table that changes its name for good either.
        """
        renames = any(isinstance(operation, (RenameModel, AlterModelTable)) for operation in migration.operations)
        old_way = self.connection.vendor == "sqlite" and not renames
        if old_way:
            self._pragma("ON")
        try:
            with self.connection.schema_editor(atomic=True) as editor:
                yield editor
        finally:
            if old_way:
                self._pragma("OFF")

    def _pragma(self, state: str) -> None:
        with self.connection.cursor() as cursor:
            cursor.execute(f"PRAGMA legacy_alter_table = {state}")
