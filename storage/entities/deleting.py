"""What a deletion would take with it, said before it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db import models, router
from django.db.models.deletion import Collector, ProtectedError, RestrictedError

NAMED: Final = 20  # rows of each model that are named; of the others the number must do


@dataclass(frozen=True, slots=True)
class Taken:
    """Rows of one model."""

    model: str  # its label, as in `library.book`
    count: int
    names: tuple[str, ...]  # of the first ones


@dataclass(frozen=True, slots=True)
class Deletion:
    """What would become of the database."""

    deleted: tuple[Taken, ...]
    unlinked: tuple[Taken, ...]  # stay, with an empty link
    blocked: tuple[Taken, ...]  # must be deleted first: as long as there are any, nothing is deleted


def collect_deleted_data(rows: models.Model | Iterable[models.Model]) -> Deletion:
    """What a true deletion of these rows would delete, unlink or be stopped by; nothing is touched.

    `delete()` of a perishable entity only closes it: this tells what `delete(force=True)` takes.
    """
    objects: list[Any] = [rows] if isinstance(rows, models.Model) else list(rows)
    if not objects:
        return Deletion((), (), ())
    collector = Collector(using=router.db_for_write(type(objects[0]), instance=objects[0]))
    try:
        collector.collect(objects)
    except ProtectedError as error:
        return Deletion((), (), _taken(error.protected_objects))
    except RestrictedError as error:
        return Deletion((), (), _taken(error.restricted_objects))
    whole = [row for found in collector.data.values() for row in found]
    deleted = (*_taken(whole), *(_counted(query) for query in collector.fast_deletes if query.exists()))
    updates: Any = collector.field_updates.values()  # the stubs know one kind of them only
    unlinked = [row for lists in updates for found in lists for row in found]
    return Deletion(tuple(sorted(deleted, key=lambda taken: taken.model)), _taken(unlinked), ())


def _taken(rows: Iterable[models.Model]) -> tuple[Taken, ...]:
    by_model: dict[str, dict[Any, str]] = {}
    numbers: dict[str, set[Any]] = {}
    for row in sorted(rows, key=lambda row: (row._meta.label_lower, row.pk)):  # a database promises no order
        label = row._meta.label_lower
        numbers.setdefault(label, set()).add(row.pk)
        names = by_model.setdefault(label, {})
        if len(names) < NAMED:
            names[row.pk] = str(row)
    return tuple(Taken(label, len(numbers[label]), tuple(by_model[label].values())) for label in sorted(numbers))


def _counted(query: models.QuerySet[Any]) -> Taken:
    return Taken(query.model._meta.label_lower, query.count(), tuple(str(row) for row in query.order_by("pk")[:NAMED]))
