"""Which meters somebody sees: the one place that every page, the API, the stream and /metrics ask.

An owner sees all, and so does every account and token that was not limited to groups. Whoever is limited sees the
meters of these groups and what belongs to them; the others are for him as if they did not exist. What belongs to no
meter (offers, prices, Tempo days), the meters themselves and their groups he sees, and does not change.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from django.db.models import ForeignKey, Model, Q, QuerySet

from storage import queries
from storage.api.access import may
from storage.groups import MeterGroup, Sight, Tree
from storage.models import Meter
from storage.tokens.authentication import TokenError, find_token

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one request sees: the groups of this set; None: everything."""

    groups: frozenset[int] | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every meter is seen."""
        return self.groups is None

    def meters(self) -> QuerySet[Meter]:
        """Those that are seen, in the owner's order, else by name."""
        return self.of(queries.meters())

    def of(self, rows: QuerySet[M]) -> QuerySet[M]:
        """Of these rows, those of meters that are seen; rows that belong to no meter are everybody's."""
        if self.groups is None:
            return rows
        if rows.model is MeterGroup:
            return rows.filter(pk__in=self.groups)
        way = way_to_meter(rows.model)
        if way is None:
            return rows
        if not way:
            return rows.filter(group__in=self.groups)
        seen = Q(**{f"{way}__in": Meter.objects.filter(group__in=self.groups).values("pk")})
        if _is_for_all(rows.model, way):
            seen |= Q(**{f"{way}__isnull": True})
        return rows.filter(seen)

    def names(self) -> frozenset[str] | None:
        """The numbers of the meters that are seen; None: all, also those that no database knows yet."""
        return None if self.groups is None else frozenset(self.meters().values_list("meter_id", flat=True))

    def may_write(self, model: type[Model]) -> bool:
        """Whether such rows can be changed at all."""
        return self.groups is None or bool(way_to_meter(model))

    def may_write_row(self, row: Model) -> bool:
        """Whether it belongs to a meter that is seen, and to it alone."""
        if self.groups is None:
            return True
        way = way_to_meter(type(row))
        rows = type(row)._default_manager.filter(pk=row.pk)
        return bool(way) and self.of(rows).filter(**{f"{way}__isnull": False}).exists()


def rights_of(request: Any) -> Rights:  # Django's request, or that of the REST framework
    """Those of whoever asks, found out once for each request."""
    plain = getattr(request, "_request", request)
    found = getattr(plain, "_rights", None)
    if not isinstance(found, Rights):
        found = plain._rights = _read(request.user, plain)
    return found


def may_write(request: Any, verb: str, model: type[Model]) -> bool:  # as above
    """Whether somebody has the permission, and sees enough for it."""
    return may(request.user, verb, model) and rights_of(request).may_write(model)


def _read(user: Any, request: Any) -> Rights:
    try:
        token = find_token(request)
    except TokenError:
        return Rights(frozenset())
    if not user.is_authenticated:
        return Rights(frozenset())
    limits = [] if user.is_superuser else [Q(user=user.pk)]
    limits += [] if token is None else [Q(token=token.pk)]
    found = [
        frozenset(sight.groups.values_list("pk", flat=True))
        for limit in limits
        for sight in Sight.objects.filter(limit)
    ]  # fmt: skip
    if not found:
        return Rights()
    tree = Tree.read()
    return Rights(frozenset.intersection(*(tree.within(groups) for groups in found)))


@cache
def way_to_meter(model: type[Model]) -> str | None:
    """The shortest chain of foreign keys to a meter, as a lookup; empty: it is one; None: there is none.

    Found from the model itself, so that one which comes later is limited, too.
    """
    waiting: deque[tuple[type[Model], str]] = deque([(model, "")])
    met = {model}
    while waiting:
        at, way = waiting.popleft()
        if at is Meter:
            return way
        for field in at._meta.concrete_fields:
            target: Any = field.related_model if isinstance(field, ForeignKey) else None
            if target is not None and target not in met:
                met.add(target)
                waiting.append((target, f"{way}__{field.name}" if way else field.name))
    return None


def _is_for_all(model: type[Model], way: str) -> bool:
    """Whether a row without a meter means every meter; of others it is one that nobody knows."""
    return way == "meter" and model._meta.label_lower == "alerts.alertrule"
