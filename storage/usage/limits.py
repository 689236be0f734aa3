"""A call is taken from its limit before anything is done for it, in one statement: of many at once none gets past."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from django.db.models import Case, DateTimeField, F, Q, Value, When
from django.utils import timezone

from storage.usage.models import Reset, Usage


@dataclass(frozen=True, slots=True)
class Verdict:
    """`is_limited`: there is a limit, and the call is counted with it. `wait`: until it may be made again."""

    is_limited: bool
    is_refused: bool = False
    wait: timedelta | None = None


_FREE: Final = Verdict(is_limited=False)


def take(caller: str, route: str, address: str | None, now: datetime) -> Verdict:
    """Count a call with its limit, if it has one and it is not reached."""
    rows = Usage.objects.filter(caller=caller, route=route, limit__gte=1)
    if not rows.exists():  # a read, as most calls are: nothing is written for it
        return _FREE
    is_over = Q(resets__lte=now)
    taken = rows.filter(is_over | Q(used__lt=F("limit"))).update(
        used=Case(When(is_over, then=Value(1)), default=F("used") + 1),
        resets=Case(
            When(resets__gt=now, then=F("resets")),
            *(When(reset=reset, then=Value(end)) for reset, end in _ends(now).items()),
            default=Value(None),
            output_field=DateTimeField(),
        ),
        calls=F("calls") + 1,
        last=now,
        address=address,
    )
    if taken:
        return Verdict(is_limited=True)
    row = rows.first()
    if row is None:
        return _FREE  # the limit was taken away meanwhile
    return Verdict(is_limited=True, is_refused=True, wait=row.resets - now if row.resets else None)


def _ends(now: datetime) -> dict[str, datetime]:
    return {reset: end_of(reset, now, timezone.get_default_timezone()) for reset in Reset if reset != Reset.NEVER}


def end_of(reset: str, now: datetime, zone: tzinfo) -> datetime:
    """When the hour, day, week (on Monday), month or year of an instant ends, there."""
    local = now.astimezone(zone)
    if reset == Reset.HOUR:
        return now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    midnight = datetime(local.year, local.month, local.day, tzinfo=zone)  # of no fixed offset: days of 23 and 25 hours
    if reset == Reset.DAY:
        return midnight + timedelta(days=1)
    if reset == Reset.WEEK:
        return midnight + timedelta(days=7 - local.weekday())
    if reset == Reset.MONTH:
        return datetime(local.year + local.month // 12, local.month % 12 + 1, 1, tzinfo=zone)
    return datetime(local.year + 1, 1, 1, tzinfo=zone)
