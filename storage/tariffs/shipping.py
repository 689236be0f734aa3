"""Load the prices that come with ticbridge, and leave alone what their owner changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from django.db import transaction

from storage.entities.acting import acting
from storage.tariffs.grids import is_untouched, plan
from storage.tariffs.shipped import ShippedOffer, shipped_offers
from storage.tariffs.writing import Outcome, remove, write

SHIPPED: Final = "shipped"
_REASON: Final = "prices that come with ticbridge"
_OFFER: Final = ("name", "supplier", "option")
_PERIOD: Final = ("name_fr", "name_en", "rank")
_RULE: Final = ("rank", "period", "days", "hours", "begins", "ends")


@dataclass(frozen=True, slots=True)
class Models:
    """The tables: today's, or those of a migration."""

    offer: Any
    period: Any
    price: Any
    contract: Any
    rule: Any = None  # migrations before it know none


def load_reference(models: Models | None = None, *, force: bool = False, dry_run: bool = False) -> Outcome:
    """Bring offers, periods and prices up to what is shipped; twice changes nothing.

    A row that is no longer as it was shipped is its owner's: it stays and is told, unless `force`.
    """
    outcome = Outcome()
    with transaction.atomic(), acting(reason=_REASON):
        for shipped in shipped_offers():
            _load(models or _todays(), shipped, force, outcome)
        if dry_run:
            transaction.set_rollback(True)
    return outcome


def unload_reference(models: Models) -> None:
    """Take back what was loaded and not touched since; an offer with something of its owner's stays with it."""
    untouched = [price.pk for price in models.price.objects.filter(origin=SHIPPED) if is_untouched(price)]
    remove(models.price.objects.filter(pk__in=untouched))
    for offer in list(models.offer.objects.filter(origin=SHIPPED)):
        is_used = any(model.objects.filter(offer=offer).exists() for model in (models.price, models.contract))
        if offer.shipped == _sign(offer, _OFFER) and not is_used:
            models.period.objects.filter(offer=offer).delete()
            offer.delete()


def _todays() -> Models:
    from storage.tariffs.models import (  # noqa: PLC0415  migrations have their own
        CalendarRule,
        Contract,
        Offer,
        Period,
        TariffPrice,
    )

    return Models(Offer, Period, TariffPrice, Contract, CalendarRule)


def _load(models: Models, shipped: ShippedOffer, force: bool, outcome: Outcome) -> None:
    offer = _upsert(models.offer, {"code": shipped.code}, shipped, _OFFER, force, outcome, {"origin": SHIPPED})
    if offer is None:
        return
    for period in shipped.periods:
        _upsert(models.period, {"offer": offer, "code": period.code}, period, _PERIOD, force, outcome, {})
    made = plan(
        list(models.price.objects.filter(offer=offer)),
        shipped.prices,
        ours=(SHIPPED,),
        force=force,
        whole=SHIPPED,
        gone={(tuple(series), start) for *series, start in _deleted_prices(models, offer)},
    )
    write(models.price, offer, made, SHIPPED, outcome)
    if models.rule is not None and shipped.rules:
        _load_rules(models.rule, offer, shipped, force, outcome)


def _load_rules(model: Any, offer: Any, shipped: ShippedOffer, force: bool, outcome: Outcome) -> None:
    """All of them or none: an offer that has rules, or had some, has its owner's."""
    wanted = [{name: getattr(rule, name) for name in _RULE} for rule in shipped.rules]
    there = list(model.objects.filter(offer=offer).order_by("rank").values(*_RULE))
    if there == wanted:
        outcome.same += len(wanted)
        return
    if not force and (there or _was_ruled(model, offer)):
        outcome.kept.append(f"{offer.code}: you changed its rules of hours, and they stay so")
        return
    model.objects.filter(offer=offer).delete()
    for columns in wanted:
        model.objects.create(offer=offer, **columns)
    type(offer).objects.filter(pk=offer.pk).update(events=shipped.events)
    outcome.removed += len(there)
    outcome.made += len(wanted)


def _was_ruled(model: Any, offer: Any) -> bool:
    history = getattr(model, "history", None)
    return history is not None and bool(history.filter(offer_id=offer.pk).exists())


def _upsert(
    model: Any, key: Mapping[str, Any], shipped: Any, names: tuple[str, ...], force: bool, outcome: Outcome,
    added: Mapping[str, Any],
) -> Any:  # a row of that model; None: what hangs on it is not wanted either  # fmt: skip
    row = model.objects.filter(**key).first()
    columns = {name: getattr(shipped, name) for name in names} | {**added, "shipped": _sign(shipped, names)}
    said = " ".join(str(value) for value in key.values())
    if row is None:
        if not force and _was_deleted(model, key):
            outcome.kept.append(f"{said}: you deleted it, and it stays so")
            return None
        outcome.made += 1
        return model.objects.create(**key, **columns)
    if all(getattr(row, name) == value for name, value in columns.items()):
        outcome.same += 1
    elif force or row.shipped == _sign(row, names):
        model.objects.filter(pk=row.pk).update(**columns)
        outcome.changed += 1
    else:
        outcome.kept.append(f"{said}: you changed it, and it stays so")
        return row if row.shipped else None  # an offer of the owner's own, under our code
    return row


def _sign(row: Any, names: tuple[str, ...]) -> str:  # what is shipped, or a row
    return sha256("\0".join(str(getattr(row, name)) for name in names).encode()).hexdigest()[:16]


def _was_deleted(model: Any, key: Mapping[str, Any]) -> bool:
    """Whether the owner deleted a shipped row of that key; a migration comes before all owners."""
    history = getattr(model, "history", None)
    if history is None:
        return False
    records = history.filter(history_type="-", **key).exclude(shipped="")
    return bool(records.exclude(history_change_reason=_REASON).exists())


def _deleted_prices(models: Models, offer: Any) -> list[tuple[Any, ...]]:
    history = getattr(models.price, "history", None)
    if history is None:
        return []
    records = history.filter(history_type="-", offer_id=offer.pk).exclude(shipped="")
    records = records.exclude(history_change_reason=_REASON)
    return list(records.values_list("kind", "period", "power", "taxed", "start_date"))
