"""An instant kept as whole seconds since 1970: a fifth of the room that SQLite's text takes, and plain arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.dateparse import parse_datetime

_ST = TypeVar("_ST")
_GT = TypeVar("_GT")

if TYPE_CHECKING:  # generic to the type checker only

    class _Base(models.Field[_ST, _GT]):
        _pyi_private_set_type: datetime
        _pyi_private_get_type: datetime
        _pyi_lookup_exact_type: datetime

else:

    class _Base(models.BigIntegerField):
        __class_getitem__ = classmethod(lambda cls, _: cls)


class InstantField(_Base[_ST, _GT]):
    """An aware datetime in Python, an integer in the database. Parts of a second are cut off."""

    def from_db_value(self, value: int | None, *_: object) -> datetime | None:
        """What the database holds, in UTC."""
        return None if value is None else datetime.fromtimestamp(value, UTC)

    def to_python(self, value: Any) -> datetime | None:  # what forms and fixtures give
        """An aware datetime; integers are seconds, text is ISO 8601 with its offset."""
        if isinstance(value, str):
            value = int(value) if value.lstrip("-").isdigit() else parse_datetime(value)
            if value is None:
                raise ValidationError("expected an instant such as 2026-11-28T10:00:00+01:00")
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValidationError("expected an instant with its offset from UTC")
            return value
        return None if value is None else datetime.fromtimestamp(value, UTC)

    def get_prep_value(self, value: Any) -> Any:  # a datetime, a number, or an expression
        """Seconds."""
        if isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError("an instant needs its offset from UTC")
            return int(value.timestamp() // 1)
        return super().get_prep_value(value)

    @staticmethod
    def as_datetime(expression: Any) -> models.Func:  # a column, or what is computed from one
        """The same as a time of the database's own, which knows parts of it: years, months, hours."""
        return _AsDatetime(expression)


class _AsDatetime(models.Func):
    function = "to_timestamp"
    arity = 1

    def __init__(self, expression: Any) -> None:
        super().__init__(expression, output_field=models.DateTimeField())

    def as_sqlite(self, compiler: Any, connection: Any, **given: Any) -> Any:  # Django's own signature
        """SQLite has text for times."""
        return self.as_sql(compiler, connection, **given, template="datetime(%(expressions)s, 'unixepoch')")
