"""What is missing: numbers that no row has, and times when no bridge ran. All of it in the caller's transaction."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from storage.models import Data, DeadLetter, Epoch, Gap

_STOP: Final = timedelta(seconds=30)  # without readings: what is shorter is a restart

Span = tuple[int, int]  # the first and the last of a run of numbers


def handled_above(epoch: Epoch) -> Iterator[Span]:
    """What is in the database above `handled`, rising; read only as far as it is asked for: a backlog may be long."""
    return heapq.merge(_alone(Data.objects, epoch), _alone(DeadLetter.objects, epoch))


def _alone(manager: Any, epoch: Epoch) -> Iterator[Span]:  # the managers of two models
    seqs: QuerySet[Any, int] = manager.filter(epoch=epoch, seq__gt=epoch.handled).values_list("seq", flat=True)
    return ((seq, seq) for seq in seqs.order_by("seq").iterator())


def record(epoch: Epoch, first: int, last: int) -> None:
    """Write down which numbers of first..last are nowhere."""
    there: set[int] = set()
    for manager in (Data.objects, DeadLetter.objects):
        seqs: Any = manager.filter(epoch=epoch, seq__range=(first, last))  # the managers of two models
        there.update(seqs.values_list("seq", flat=True))
    start = first
    for seq in [*sorted(there), last + 1]:
        if start < seq:
            Gap.objects.create(epoch=epoch, first=start, last=seq - 1)
        start = seq + 1


def shrink(epoch: Epoch, seq: int) -> None:
    """A reading that was given up on came after all."""
    for gap in Gap.objects.filter(epoch=epoch, first__lte=seq, last__gte=seq):
        assert gap.first is not None, "the filter"
        assert gap.last is not None, "the filter"
        gap.delete()
        for first, last in ((gap.first, seq - 1), (seq + 1, gap.last)):
            if first <= last:
                Gap.objects.create(epoch=epoch, first=first, last=last, noticed=gap.noticed)


def note_stop(epoch: Epoch, ends: datetime) -> None:
    """A new epoch, whose first reading is of `ends`: no bridge read this meter since the last reading before it."""
    before = Data.objects.filter(meter=epoch.meter_id, dateTime__lt=ends).order_by("-dateTime").first()
    if before is not None and ends - before.dateTime > _STOP:
        Gap.objects.create(epoch=epoch, reason=Gap.Reason.STOPPED, begins=before.dateTime, ends=ends)


def shorten_stops(meter: int, late: Iterable[datetime]) -> None:
    """Readings came late that were taken at these times: a bridge ran then."""
    late = list(late)
    for gap in Gap.objects.filter(reason=Gap.Reason.STOPPED, epoch__meter=meter, ends__gt=min(late)):
        assert gap.begins is not None, "a stop has two ends"
        assert gap.ends is not None, "a stop has two ends"
        begins = max((at for at in late if gap.begins < at < gap.ends), default=gap.begins)
        if gap.ends - begins <= _STOP:
            gap.delete()
        elif begins != gap.begins:
            gap.begins = begins
            gap.save(update_fields=["begins"])
