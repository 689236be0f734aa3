"""One version of a series at any instant, and the database itself sees to it.

A constraint and not raw SQL in a migration: Django rebuilds a table of SQLite for most changes of it, and triggers
that nobody declared are gone then. This one is written again with the table, and `makemigrations` finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, NotSupportedError, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Statement, Table
from django.db.models import CheckConstraint, F, Q
from django.utils.translation import gettext_lazy as _

_MESSAGE: Final = "periods of one series overlap"

_SQLITE: Final = """CREATE TRIGGER {trigger} BEFORE {event} ON {table} FOR EACH ROW BEGIN
  SELECT RAISE(ABORT, '{message}') FROM {table} AS other WHERE {same}{others}
    (NEW.{end} IS NULL OR other.{start} < NEW.{end}) AND (other.{end} IS NULL OR NEW.{start} < other.{end});
END"""


def no_overlap_sql(
    vendor: str, *, name: str, table: str, key: str, series: Sequence[str], start: str, end: str
) -> list[str]:
    """The statements that forbid overlapping half-open periods; all names are quoted already where they must be.

    A NULL in the series is like no other, as in a unique constraint.
    """
    if vendor == "sqlite":
        same = "".join(f"other.{column} = NEW.{column} AND " for column in series)
        given = {"table": table, "same": same, "start": start, "end": end, "message": _MESSAGE}
        changed = ", ".join([*series, start, end])
        return [
            _SQLITE.format(trigger=f'"{name}_insert"', event="INSERT", others="", **given),
            _SQLITE.format(
                trigger=f'"{name}_update"',
                event=f"UPDATE OF {changed}",
                others=f"other.{key} <> NEW.{key} AND ",
                **given,
            ),
        ]
    if vendor == "postgresql":
        equal = "".join(f"{column} WITH =, " for column in series)
        extension = ["CREATE EXTENSION IF NOT EXISTS btree_gist"] if series else []  # equality beside a range
        rule = f"EXCLUDE USING gist ({equal}tstzrange({start}, {end}, '[)') WITH &&)"
        return [*extension, f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {rule}']
    raise NotSupportedError(f"no way is known to forbid overlapping periods on {vendor}")


def drop_no_overlap_sql(vendor: str, *, name: str, table: str) -> list[str]:
    """The statements that undo `no_overlap_sql`; the extension stays, others may use it."""
    if vendor == "sqlite":
        return [f'DROP TRIGGER IF EXISTS "{name}_{event}"' for event in ("insert", "update")]
    return [f'ALTER TABLE {table} DROP CONSTRAINT "{name}"']


class NoOverlap(models.BaseConstraint):
    """No two rows with equal `fields` hold at one instant."""

    def __init__(
        self,
        *,
        fields: Sequence[str],
        name: str,
        start: str = "start_date",
        end: str = "end_date",
        violation_error_code: str | None = None,
        violation_error_message: Any = None,
    ) -> None:
        self.fields, self.start, self.end = tuple(fields), start, end
        super().__init__(
            name=name,
            violation_error_code=violation_error_code or "overlap",
            violation_error_message=violation_error_message or self.default_violation_error_message,
        )

    default_violation_error_message = _("Another version of the same series holds in that time.")

    def constraint_sql(self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> str:
        """Nothing inside CREATE TABLE: triggers need the table, the exclusion its extension."""
        assert model is not None
        assert schema_editor is not None
        schema_editor.deferred_sql.extend(self._statements(model, schema_editor))
        return ""

    def create_sql(self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> Any:
        """The same, for a table that is there."""
        return self.constraint_sql(model, schema_editor)

    def remove_sql(self, model: type[models.Model] | None, schema_editor: BaseDatabaseSchemaEditor | None) -> Any:
        """The statements that end it."""
        assert model is not None
        assert schema_editor is not None
        *first, last = drop_no_overlap_sql(
            schema_editor.connection.vendor, name=self.name, table=schema_editor.quote_name(model._meta.db_table)
        )
        for statement in first:
            schema_editor.execute(statement)
        return last

    def _statements(self, model: type[models.Model], schema_editor: BaseDatabaseSchemaEditor) -> list[Statement]:
        quote = schema_editor.quote_name

        def column(name: str) -> str:
            return quote(_field(model, name).column)

        texts = no_overlap_sql(
            schema_editor.connection.vendor,
            name=self.name,
            table="%(table)s",  # known last: SQLite rebuilds a table under another name
            key=column(model._meta.pk.name),
            series=[column(name) for name in self.fields],
            start=column(self.start),
            end=column(self.end),
        )
        return [Statement(text, table=Table(model._meta.db_table, quote)) for text in texts]

    def validate(
        self,
        model: type[models.Model],
        instance: models.Model,
        exclude: Collection[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Say it in a form, before the database does."""
        if {*self.fields, self.start, self.end} & set(exclude or ()):
            return
        start, end = getattr(instance, self.start), getattr(instance, self.end)
        same = {name: getattr(instance, _field(model, name).attname) for name in self.fields}
        if start is None or None in same.values():
            return
        rows = model._base_manager.using(using).filter(**same)
        rows = rows.filter(Q(**{f"{self.end}__isnull": True}) | Q(**{f"{self.end}__gt": start}))
        if end is not None:
            rows = rows.filter(**{f"{self.start}__lt": end})
        if rows.exclude(pk=instance.pk).exists():
            raise ValidationError(self.get_violation_error_message(), code=self.violation_error_code)

    def deconstruct(self) -> Any:
        """For migrations."""
        path, args, kwargs = super().deconstruct()
        kwargs.pop("violation_error_code", None)
        kwargs.pop("violation_error_message", None)
        kwargs["fields"] = self.fields
        for name, usual in (("start", "start_date"), ("end", "end_date")):
            if getattr(self, name) != usual:
                kwargs[name] = getattr(self, name)
        return path, args, kwargs

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NoOverlap) and self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((self.name, self.fields, self.start, self.end))


def _field(model: type[models.Model], name: str) -> Any:  # a field with a column
    return model._meta.get_field(name)


def periods(*series: str) -> tuple[models.BaseConstraint, ...]:
    """The constraints of a perishable entity: a version ends after it begins, those of a series do not overlap."""
    return (
        CheckConstraint(
            condition=Q(end_date__isnull=True) | Q(end_date__gt=F("start_date")),
            name="%(app_label)s_%(class)s_period",
            violation_error_message=_("It ends before it begins."),
        ),
        NoOverlap(fields=series, name="%(app_label)s_%(class)s_series"),
    )
