"""What indexes mean, learned from readings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.dirty import mark
from storage.models import Data, Epoch
from storage.rollups import roll_up
from storage.tariffs.daily import reckon
from storage.tariffs.learning import learn
from storage.tariffs.models import IndexPeriod
from tests.storage.test_rollups import new_meter

pytestmark = pytest.mark.django_db
DAY = datetime(2026, 1, 10, tzinfo=UTC)
Version = tuple[int, str, str, bool, datetime, datetime | None]


@pytest.fixture
def epoch() -> Epoch:
    return new_meter()


def say(epoch: Epoch, at: datetime, ntarf: int, ltarf: str, **values: Any) -> None:  # columns
    seq = Data.objects.filter(epoch=epoch).count() + 1
    values.setdefault("east", seq)
    Data.objects.create(meter_id=epoch.meter_id, epoch=epoch, seq=seq, dateTime=at, ntarf=ntarf, ltarf=ltarf, **values)
    mark({epoch.meter_id: [at]})


def versions() -> list[Version]:
    rows = IndexPeriod.objects.order_by("index", "start_date")
    return [(r.index, r.label, r.period, r.is_confirmed, r.start_date, r.end_date) for r in rows]


def hours(number: float) -> datetime:
    return DAY + timedelta(hours=number)


def turn() -> None:
    list(roll_up())
    list(reckon())


def test_an_index_means_what_the_meter_says_while_it_runs(epoch: Epoch) -> None:
    """From the first time that the index was read: it did not begin to mean it when it began to run."""
    for n in range(10):
        say(epoch, hours(n), 1 + (n > 6), "HEURE PLEINE" if n > 6 else "HEURE CREUSE", easf01=n, easf02=n, easf03=0)
    turn()
    assert versions() == [
        (1, "HEURE CREUSE", "hc", False, hours(0), None),
        (2, "HEURE PLEINE", "hp", False, hours(0), None),
    ]


def test_learning_again_changes_nothing(epoch: Epoch) -> None:
    for n, label in enumerate(["BASE", "HEURE CREUSE", "BASE"]):
        say(epoch, hours(n / 10), 1, label)
    meter = epoch.meter_id
    for start, end in [(0, 1), (0, 1), (0.15, 1), (0, 1), (0.15, 1)]:
        learn(meter, hours(start), hours(end))
    told = versions()
    assert [row[1] for row in told] == ["BASE", "HEURE CREUSE", "BASE"]
    written = IndexPeriod.history.count()
    learn(meter, hours(0), hours(1))
    assert (versions(), IndexPeriod.history.count()) == (told, written)


def test_a_label_that_changes_opens_a_version_at_that_instant(epoch: Epoch) -> None:
    say(epoch, hours(0), 1, "BASE")
    say(epoch, hours(2.5), 1, "HC BLEU")
    turn()
    assert versions() == [
        (1, "BASE", "base", False, hours(0), hours(2.5)),
        (1, "HC BLEU", "bleu_hc", False, hours(2.5), None),
    ]


def test_what_the_owner_confirmed_stands(epoch: Epoch) -> None:
    say(epoch, hours(0), 1, "SUPER NUIT")
    learn(epoch.meter_id, hours(0), hours(0.5))
    (row,) = IndexPeriod.objects.all()
    row.period, row.is_confirmed = "nuit", True
    row.save(force_update=True)
    say(epoch, hours(1), 1, "SUPER NUIT")
    say(epoch, hours(2), 1, "BASE")
    say(epoch, hours(3), 1, "SUPER NUIT")
    learn(epoch.meter_id, hours(1), hours(1.5))
    learn(epoch.meter_id, hours(2), hours(2.5))
    learn(epoch.meter_id, hours(3), hours(3.5))
    assert versions() == [
        (1, "SUPER NUIT", "nuit", True, hours(0), hours(2)),
        (1, "BASE", "base", False, hours(2), hours(3)),
        (1, "SUPER NUIT", "nuit", True, hours(3), None),
    ]


def test_what_the_owner_wrote_without_a_label_is_not_touched(epoch: Epoch) -> None:
    IndexPeriod.objects.create(meter_id=epoch.meter_id, index=1, period="nuit", is_confirmed=True, start_date=DAY)
    say(epoch, hours(1), 1, "BASE")
    turn()
    assert versions() == [(1, "", "nuit", True, hours(0), None)]


def test_older_readings_move_the_beginning(epoch: Epoch) -> None:
    """An import brings them later."""
    say(epoch, hours(30), 1, "HC..")
    turn()
    say(epoch, hours(3), 1, "HC..")
    turn()
    say(epoch, hours(0.5), 1, "TH..")
    turn()
    assert versions() == [
        (1, "TH..", "base", False, hours(0.5), hours(3)),
        (1, "HC..", "hc", False, hours(3), None),
    ]


def test_a_label_that_no_table_knows_is_kept_without_a_period(epoch: Epoch) -> None:
    say(epoch, hours(0), 2, "INDEX NON CONSO")
    say(epoch, hours(1), 2, "INDEX NON CONSO")
    turn()
    assert versions() == [(2, "INDEX NON CONSO", "", False, hours(0), None)]
