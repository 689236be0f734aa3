"""Indexes of a file to readings, where the meter was not heard itself; an index that contradicts it is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from storage.exchange.enedis.blocks import Indexes
from storage.exchange.readings import Reading, chunks, store
from storage.models import Data, Epoch, Import, Meter

_CHUNK: Final = 200
_HEARD: Final = timedelta(seconds=300)  # the roll-ups' silence of hours and days
COLUMNS: Final = ("east", *(f"easf{n:02}" for n in range(1, 11)), *(f"easd{n:02}" for n in range(1, 5)), "eait")
BRIDGE: Final = "enedis"  # of the epochs of these readings


@dataclass(slots=True)
class Stored:
    """What became of the rows."""

    stored: int = 0
    there: int = 0  # already, of this file or another of Enedis
    heard: int = 0  # left out: the meter said them itself
    most: int = 0  # Wh by which it said otherwise, at most
    refused: Counter[str] = field(default_factory=Counter)
    begins: datetime | None = None
    ends: datetime | None = None


def write(meter: Meter, epoch: Epoch | None, taken: Import | None, content: Indexes, first: int) -> Stored:
    """Store what is missing, numbered from `first` on, in chunks that are each a transaction; without an epoch look."""
    done = Stored()
    numbered = [(first + n, at, values) for n, (at, values) in enumerate(content.points)]
    for chunk in chunks(numbered, _CHUNK):
        with transaction.atomic():
            own = {} if epoch is None else _own(epoch, chunk[0][0], chunk[-1][0])
            good = []
            for seq, at, values in chunk:
                done.begins, done.ends = min(at, done.begins or at), max(at, done.ends or at)
                if seq in own:
                    done.there += 1
                elif _is_wanted(meter, epoch, at, values, done):
                    good.append(Reading(seq, at, tuple(values.get(name) for name in COLUMNS)))
            if epoch is not None and taken is not None:
                done.stored += store(epoch, taken, COLUMNS, good)
                epoch.handled = chunk[-1][0]
                epoch.save(update_fields=["handled"])
            else:
                done.stored += len(good)
    return done


def _own(epoch: Epoch, first: int, last: int) -> set[int]:
    return set(Data.objects.filter(epoch=epoch, seq__range=(first, last)).values_list("seq", flat=True))


def _is_wanted(meter: Meter, epoch: Epoch | None, at: datetime, values: dict[str, int], done: Stored) -> bool:
    """Whether the meter did not say it itself, and says nothing against it before and after."""
    others = Data.objects.filter(meter_id=meter.pk or 0)
    if epoch is not None:
        others = others.exclude(epoch=epoch)
    before = others.filter(dateTime__lte=at).order_by("-dateTime").select_related("epoch").first()
    after = others.filter(dateTime__gte=at).order_by("dateTime").first()
    if before is not None and before.dateTime == at and before.epoch.bridge == BRIDGE:
        done.there += 1
        return False
    if before is not None and after is not None and after.dateTime - before.dateTime <= _HEARD:
        done.heard += 1
        for name, value in values.items():
            low, high = getattr(before, name), getattr(after, name)
            if low is not None and high is not None:
                done.most = max(done.most, low - value, value - high)
        return False
    for name, value in values.items():
        low, high = getattr(before, name, None), getattr(after, name, None)
        if low is not None and high is not None and low > high:
            fits = value >= low or value <= high  # another meter came in between
        else:
            fits = (low is None or value >= low) and (high is None or value <= high)
        if not fits:
            done.refused[f"the meter's own {name} says otherwise before or after it"] += 1
            return False
    return True
