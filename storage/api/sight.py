"""What of the tables somebody sees, where that is not all: whoever makes an API says it, and all of its views ask."""

from __future__ import annotations

from typing import Protocol, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request

M = TypeVar("M", bound=Model)


class Sight(Protocol):
    """Beside permissions, which are of whole models, this is of rows."""

    def rows(self, request: Request, rows: QuerySet[M]) -> QuerySet[M]:
        """Those that are seen; the others are not there."""
        ...

    def is_whole(self, request: Request) -> bool:
        """Whether all rows are seen."""
        ...

    def may_write(self, request: Request, model: type[Model]) -> bool:
        """Whether rows of this model can be changed at all."""
        ...

    def may_write_row(self, request: Request, row: Model) -> bool:
        """Whether this one can, as it is now."""
        ...


class Everything:
    """Everybody sees all rows."""

    def rows(self, request: Request, rows: QuerySet[M]) -> QuerySet[M]:
        return rows

    def is_whole(self, request: Request) -> bool:
        return True

    def may_write(self, request: Request, model: type[Model]) -> bool:
        return True

    def may_write_row(self, request: Request, row: Model) -> bool:
        return True
