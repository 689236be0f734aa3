"""What is missing: numbers that no row has, and times when no bridge ran. All of it in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, QuerySet

from storage.models import Data, DeadLetter, Epoch, Gap

_STOP: Final = timedelta(seconds=30)  # without readings: what is shorter is a restart

Span = tuple[int, int]  # the first and the last of a run of numbers


def lacking_above(epochs: Iterable[Epoch]) -> dict[int, list[Span]]:
    """By epoch, which readings beyond `handled` came and were not stored, since they lacked something."""
    handled = {epoch.pk: epoch.handled for epoch in epochs}
    found: dict[int, list[Span]] = {}
    gaps = Gap.objects.filter(epoch__in=handled, reason=Gap.Reason.LACKING, last__gt=F("epoch__handled"))
    for gap in gaps.order_by("first"):
        if gap.first is not None and gap.last is not None and gap.last > handled[gap.epoch_id]:
            found.setdefault(gap.epoch_id, []).append((gap.first, gap.last))
    return found


def _spans(gaps: QuerySet[Gap]) -> list[Span]:
    return [(gap.first, gap.last) for gap in gaps.order_by("first") if gap.first is not None and gap.last is not None]


def record(epoch: Epoch, first: int, last: int) -> None:
    """Write down which numbers of first..last are nowhere."""
    if first > last:
        return
    there = _spans(Gap.objects.filter(epoch=epoch, reason=Gap.Reason.LACKING, first__lte=last, last__gte=first))
    for manager in (Data.objects, DeadLetter.objects):
        seqs: Any = manager.filter(epoch=epoch, seq__range=(first, last))  # the managers of two models
        there.extend((seq, seq) for seq in seqs.values_list("seq", flat=True))
    start = first
    for begins, ends in [*sorted(there), (last + 1, last + 1)]:
        if start < begins:
            Gap.objects.create(epoch=epoch, first=start, last=begins - 1)
        start = max(start, ends + 1)


def shrink(epoch: Epoch, seq: int) -> None:
    """A reading that was given up on came after all."""
    for gap in Gap.objects.filter(epoch=epoch, first__lte=seq, last__gte=seq):
        assert gap.first is not None, "the filter"
        assert gap.last is not None, "the filter"
        gap.delete()
        for first, last in ((gap.first, seq - 1), (seq + 1, gap.last)):
            if first <= last:
                Gap.objects.create(epoch=epoch, reason=gap.reason, first=first, last=last, noticed=gap.noticed)


def lack(epoch: Epoch, seqs: set[int]) -> int:
    """Readings with these numbers came, and lack what is required: the number of those that were not noted before.

    A gap grows over what lies next to it, so that days of such readings are one row.
    """
    near = Gap.objects.filter(epoch=epoch, first__lte=max(seqs) + 1, last__gte=min(seqs) - 1)
    lacking = near.filter(reason=Gap.Reason.LACKING)
    noted, given_up = _spans(lacking), _spans(near.filter(reason=Gap.Reason.DROPPED))
    new = {seq for seq in seqs if not holds(noted, seq)}
    for seq in new:
        if holds(given_up, seq):
            shrink(epoch, seq)
    for first, last in _joined([*noted, *((seq, seq) for seq in new)]):
        if (first, last) in noted:
            continue
        inside = lacking.filter(first__gte=first, last__lte=last).order_by("first")
        kept = inside.first() or Gap(epoch=epoch, reason=Gap.Reason.LACKING)
        inside.exclude(pk=kept.pk).delete()
        kept.first, kept.last = first, last
        kept.save()
    return len(new)


def holds(spans: Iterable[Span], seq: int) -> bool:
    """Whether a number lies in one of them."""
    return any(first <= seq <= last for first, last in spans)


def _joined(spans: Iterable[Span]) -> list[Span]:
    """The same numbers in as few spans as possible."""
    joined: list[Span] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = joined[-1][0], max(last, joined[-1][1])
        else:
            joined.append((first, last))
    return joined


def note_stop(epoch: Epoch, ends: datetime) -> None:
    """A new epoch, whose first reading is of `ends`: no bridge read this meter since the last reading before it."""
    before = Data.objects.filter(meter=epoch.meter_id, dateTime__lt=ends).order_by("-dateTime").first()
    if before is not None and ends - before.dateTime > _STOP:
        Gap.objects.create(epoch=epoch, reason=Gap.Reason.STOPPED, begins=before.dateTime, ends=ends)


def stopped(meters: Iterable[int]) -> set[int]:
    """Those of the meters that have a time noted when no bridge ran."""
    meters = list(meters)
    if not meters:
        return set()
    gaps = Gap.objects.filter(reason=Gap.Reason.STOPPED, epoch__meter__in=meters).select_related("epoch")
    return {gap.epoch.meter_id for gap in gaps}


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
