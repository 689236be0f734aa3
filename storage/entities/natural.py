"""Rows named by what they say, not by a number: what a fixture keeps when it moves to another database."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, TypeVar

from django.db import models

M = TypeVar("M", bound=models.Model)


def natural(*names: str) -> Callable[[Any], tuple[Any, ...]]:
    """A model's method `natural_key`: the values of these lookups, which together are unique."""

    def natural_key(self: Any) -> tuple[Any, ...]:  # of any model
        return tuple(reduce(getattr, name.split("__"), self) for name in names)

    natural_key.names = names  # type: ignore[attr-defined]  # for `get_by_natural_key`
    return natural_key


class NaturalQuerySet(models.QuerySet[M]):
    """Of models that have a natural key."""

    def get_by_natural_key(self, *values: Any) -> M:
        """The row whose `natural_key` this is."""
        model: Any = self.model
        return self.get(**dict(zip(model.natural_key.names, values, strict=True)))
