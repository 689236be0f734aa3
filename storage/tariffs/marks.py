"""Which days' costs are to be computed again: marked in the transaction of what changed, never after it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection
from simple_history.signals import post_create_historical_record

from storage.models import Rollup
from storage.rollups import rolled_up
from storage.tariffs.models import (
    CalendarRule,
    Contract,
    DirtyDays,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    TariffPrice,
)
from storage.tariffs.seasons import Season


def mark(meters: Iterable[int], first: datetime, last: datetime | None = None) -> None:
    """Mark from `first` to `last` (half-open; None: up to now). A mark that is there already grows, and is locked."""
    table = connection.ops.quote_name(DirtyDays._meta.db_table)
    statement = (
        f"INSERT INTO {table} (meter_id, first, last) VALUES (%s, %s, %s) "  # noqa: S608  names only
        "ON CONFLICT (meter_id) DO UPDATE SET "
        f"first = CASE WHEN excluded.first < {table}.first THEN excluded.first ELSE {table}.first END, "
        f"last = CASE WHEN {table}.last IS NULL OR excluded.last IS NULL THEN NULL "
        f"WHEN excluded.last > {table}.last THEN excluded.last ELSE {table}.last END"
    )
    seconds = [None if at is None else int(at.timestamp() // 1) for at in (first, last)]
    with connection.cursor() as cursor:
        for meter in sorted(meters):  # in one order: two writers that lock the same two would wait for each other
            cursor.execute(statement, [meter, *seconds])


def connect() -> None:
    """Hear what changes energy, prices, contracts and meanings."""
    rolled_up.connect(_on_rolled_up, Rollup, dispatch_uid="tariffs")
    # History is written for every change of an entity, also for those that send no signal of Django's.
    post_create_historical_record.connect(_on_change, dispatch_uid="tariffs")


def _on_rolled_up(*, meter: int, start: int, end: int, **_: Any) -> None:  # a signal's
    mark([meter], *(datetime.fromtimestamp(at, UTC) for at in (start, end)))


def _on_change(*, instance: Any, history_instance: Any, **_: Any) -> None:  # any entity and its record
    if isinstance(instance, (Offer, CalendarRule)):
        offer = instance.pk if isinstance(instance, Offer) else instance.offer_id
        for contract in Contract.objects.filter(offer=offer):
            mark([contract.meter_id], contract.start_date)
    elif isinstance(instance, EventDay):
        _mark_event(instance)
    elif isinstance(instance, (TariffPrice, Contract, IndexPeriod, OffPeakSlot)):
        before = history_instance.prev_record  # where it stood before it was moved or given to another
        for record in [instance] if before is None else [instance, before]:
            mark(_meters(record), record.start_date)


def _mark_event(event: EventDay) -> None:
    """Its own hours end on the next day. The last event day of a season says that all others are none."""
    day = datetime.combine(event.day, time(), UTC)
    for offer in Offer.objects.filter(pk=event.offer_id, option=Offer.Option.OTHER):
        first = day if offer.events is None else datetime.combine(Season.of(event.day).first, time(), UTC)
        mark(_meters(event), first - timedelta(days=1), day + timedelta(days=2) if offer.events is None else None)


def _meters(record: Any) -> set[int]:  # an entity, or a record of its history
    if hasattr(record, "meter_id"):
        return {record.meter_id}
    return set(Contract.objects.filter(offer=record.offer_id).values_list("meter_id", flat=True))
