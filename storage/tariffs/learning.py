"""What each index counts, learned from the meter: while index n runs, its label is the one the meter says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import Min

from storage.models import Data, Register
from storage.tariffs.labels import meaning
from storage.tariffs.models import IndexPeriod

_INDEXES: Final = range(1, 11)


def learn(meter: int, start: datetime, end: datetime) -> None:
    """Bring the meanings up to date with the readings of start..end (half-open).

    What the table of words knows is proposed; what the owner confirmed stands, and holds when its label comes again.
    """
    rows: Any = Data.objects.filter(meter=meter, dateTime__gte=start, dateTime__lt=end)
    rows = rows.filter(ntarf__in=_INDEXES, ltarf__isnull=False).order_by()
    said = rows.values("ntarf", "ltarf").annotate(at=Min("dateTime")).values_list("at", "ntarf", "ltarf")
    for at, index, label in sorted(said):
        _hear(meter, index, label, at)


def _hear(meter: int, index: int, label: str, at: datetime) -> None:
    versions = IndexPeriod.objects.filter(meter=meter, index=index)
    version = versions.select_valid(at).first()
    if version is None:
        following = versions.filter(start_date__gt=at).order_by("start_date").first()
        begins = at if versions.exists() else _since(meter, index, at)
        if following is not None and following.label == label:
            following.start_date = begins
            following.save(force_update=True)
            return
        _open(versions, meter, index, label, begins, None if following is None else following.start_date)
    elif version.label != label and (version.label or not version.is_confirmed):
        ends = version.end_date
        if version.start_date < at:
            version.end_date = at
            version.save(force_update=True)
            _open(versions, meter, index, label, at, ends)


def _open(versions: Any, meter: int, index: int, label: str, start: datetime, end: datetime | None) -> None:  # a query
    confirmed = versions.filter(label=label, is_confirmed=True).order_by("start_date").last()
    IndexPeriod.objects.create(
        meter_id=meter,
        index=index,
        label=label,
        period=meaning(label) if confirmed is None else confirmed.period,
        is_confirmed=confirmed is not None,
        start_date=start,
        end_date=end,
    )


def _since(meter: int, index: int, at: datetime) -> datetime:
    """A meaning is a setting of the meter, older than the first time that its index runs before our eyes."""
    register = Register.objects.filter(meter=meter, name=f"easf{index:02}", since__lt=at).first()
    first = at if register is None else register.since
    return datetime.fromtimestamp(first.timestamp() // 3600 * 3600, UTC)
