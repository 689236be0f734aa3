"""Decimals that are printed as people write them."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models

_ST = TypeVar("_ST")
_GT = TypeVar("_GT")


class PlainDecimal(Decimal):
    """A Decimal whose text has neither an exponent nor needless zeros: 0.0000001 and 100, not 1E-7 and 1E+2."""

    def __str__(self) -> str:
        return decimal_to_str(self)

    def __format__(self, spec: str) -> str:  # type: ignore[override]  # the stubs know more arguments than Python calls
        return super().__format__(spec) if spec else str(self)


def decimal_to_str(value: Decimal) -> str:
    """The shortest text without an exponent."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


if TYPE_CHECKING:  # generic to the type checker only

    class _Base(models.DecimalField[_ST, _GT]): ...

else:

    class _Base(models.DecimalField):
        __class_getitem__ = classmethod(lambda cls, _: cls)


class DecimalField(_Base[_ST, _GT]):
    """Django's, without scientific notation anywhere: pages, forms, JSON, XML, YAML."""

    def from_db_value(self, value: Decimal | None, *_: object) -> PlainDecimal | None:
        """What the database holds."""
        return None if value is None else PlainDecimal(value)

    def to_python(self, value: Any) -> PlainDecimal | None:  # what forms and fixtures give
        """A plain decimal, or a ValidationError."""
        number = super().to_python(value)
        return None if number is None else PlainDecimal(number)

    def value_from_object(self, obj: models.Model) -> Any:  # what forms and serializers write
        """The object's value, plain even if it was assigned as any other Decimal."""
        value = super().value_from_object(obj)
        return PlainDecimal(value) if isinstance(value, Decimal) else value


def teach_serializers() -> None:
    """SQLite and Django's YAML look a type up by its very class."""
    sqlite3.register_adapter(PlainDecimal, str)
    try:
        from django.core.serializers.pyyaml import DjangoSafeDumper  # noqa: PLC0415  PyYAML is optional to Django
    except ImportError:
        return
    DjangoSafeDumper.add_representer(PlainDecimal, DjangoSafeDumper.represent_decimal)
