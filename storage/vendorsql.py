"""SQL in migrations that each engine says in its own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import RunSQL
from django.db.migrations.operations.base import Operation

GENERIC: Final = "*"  # the statements that every engine understands

Statements = Mapping[str, Sequence[str]]  # vendor (sqlite, postgresql ...) or GENERIC -> statements, whole ones


class VendorSQL(RunSQL):
    """Run the statements of the engine at hand, then the generic ones; backwards the generic ones first.

    So what is specific may be built upon, and is taken away last. An engine that is not named runs the generic ones
    alone, or nothing. Statements come in lists and are never split: a trigger holds semicolons, a function anything.
    """

    def __init__(
        self,
        sql: Statements,
        reverse_sql: Statements | None = None,
        state_operations: Sequence[Operation] = (),
        hints: Mapping[str, Any] | None = None,
        elidable: bool = False,
    ) -> None:
        for statements in (*sql.values(), *(reverse_sql or {}).values()):
            if isinstance(statements, str):
                raise TypeError("expected a list of statements, not a text")
        ours: tuple[Any, Any] = sql, reverse_sql  # which RunSQL only keeps: what it would take them for differs
        super().__init__(*ours, list(state_operations), hints, elidable)

    def describe(self) -> str:
        """For `migrate --plan` and `sqlmigrate`."""
        return "SQL of each engine"

    def _run_sql(self, schema_editor: BaseDatabaseSchemaEditor, sqls: Any) -> None:  # Statements; RunSQL knows texts
        vendor = schema_editor.connection.vendor
        order = (vendor, GENERIC) if sqls is self.sql else (GENERIC, vendor)
        for name in order:
            for statement in sqls.get(name, ()):
                schema_editor.execute(statement, params=None)
