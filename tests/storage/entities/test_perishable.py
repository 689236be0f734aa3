"""Versions that follow one another."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from storage.entities.models import acting
from tests.storage.entities.library.models import Fee, Opening, Tag

pytestmark = pytest.mark.django_db

OLD, NEW = Decimal("0.1952"), Decimal("0.1940")
MAY, JUNE, JULY = (datetime(2026, month, 1, tzinfo=UTC) for month in (5, 6, 7))
DAY = timedelta(days=1)


def fee(**given: Any) -> Fee:
    return Fee.objects.create(**{"kind": "adult", "amount": OLD, "start_date": MAY, **given})


def told() -> list[tuple[Decimal, datetime, datetime | None]]:
    return list(Fee.objects.order_by("start_date").values_list("amount", "start_date", "end_date"))


def test_an_entity_holds_from_now_on_unless_it_says_otherwise() -> None:
    before = timezone.now()
    made = Fee.objects.create(kind="adult", amount=1)
    assert before <= made.start_date <= timezone.now()
    assert made.end_date is None


def test_its_dates_are_given_as_days_or_text_too() -> None:
    made = fee(start_date="2026-05-01T00:00:00Z", end_date=date(2026, 6, 1))
    assert (made.start_date, made.end_date) == (MAY, JUNE - timedelta(hours=2))  # midnight in Paris
    made.refresh_from_db()
    assert (made.start_date, made.end_date) == (MAY, JUNE - timedelta(hours=2))


def test_a_change_without_end_closes_the_version_and_opens_the_next(ann: User) -> None:
    first = fee()
    first.set_metadata("source", "the journal")
    first.tags.add(Tag.objects.create(word="t"))
    saved = Fee.objects.get()
    saved.amount = NEW
    before = timezone.now()
    saved.save(_current_user=ann, _reason="cheaper")
    old, new = Fee.objects.order_by("start_date")
    assert (old.pk, old.uuid, old.amount, old.start_date) == (first.pk, first.uuid, OLD, MAY)
    assert old.end_date == new.start_date
    assert before <= new.start_date <= timezone.now()
    assert (new.amount, new.end_date, new.current_user) == (NEW, None, ann)
    assert new.pk != old.pk
    assert new.uuid != old.uuid
    assert new.creation_date >= before
    assert (new.get_metadata(), list(new.tags.all())) == ({"source": "the journal"}, list(old.tags.all()))
    assert (saved.pk, saved.uuid, saved.start_date) == (new.pk, new.uuid, new.start_date)  # the object is the new one
    assert [row.history_change_reason for row in (old.history.first(), new.history.last())] == ["cheaper"] * 2


def test_before_and_after_a_change_the_amounts_differ() -> None:
    changed = fee()
    changed.revise(JUNE, amount=NEW)
    assert [Fee.objects.select_valid(at).get().amount for at in (JUNE - DAY, JUNE)] == [OLD, NEW]


def test_revise_returns_the_next_version_and_closes_this_one(ann: User) -> None:
    old = fee()
    new = old.revise(JUNE, amount=NEW, _current_user=ann, _reason="cheaper")
    assert (old.end_date, old.amount, new.start_date, new.amount) == (JUNE, OLD, JUNE, NEW)
    assert told() == [(OLD, MAY, JUNE), (NEW, JUNE, None)]
    row = new.history.get()
    assert (row.history_type, row.history_user, row.history_change_reason) == ("+", ann, "cheaper")


@pytest.mark.parametrize("name", ["start_date", "end_date", "uuid", "id", "amuont"])
def test_revise_takes_content_only(name: str) -> None:
    changes: dict[str, Any] = {name: 1}
    with pytest.raises(ValueError, match=f"'{name}' cannot be revised"):
        fee().revise(JUNE, **changes)
    assert told() == [(OLD, MAY, None)]


def test_a_save_that_moves_the_start_on_opens_the_next_version_there() -> None:
    changed = fee()
    changed.amount, changed.start_date = NEW, JUNE
    changed.save()
    assert told() == [(OLD, MAY, JUNE), (NEW, JUNE, None)]


def test_a_save_with_an_end_only_closes() -> None:
    closed = fee()
    closed.end_date = JUNE
    closed.save()
    assert told() == [(OLD, MAY, JUNE)]
    closed.end_date = JULY  # a later end, or none: still the same version
    closed.save()
    closed.end_date = None
    closed.save()
    assert told() == [(OLD, MAY, None)]
    assert closed.history.count() == 4


def test_a_save_with_an_end_does_not_rewrite_the_past() -> None:
    closed = fee()
    closed.amount, closed.end_date = NEW, JUNE
    with pytest.raises(ValidationError, match="only takes its end"):
        closed.full_clean()
    with pytest.raises(ValidationError, match="only takes its end"):
        closed.save()
    fee_ = Fee.objects.get()
    fee_.revise(JUNE, amount=NEW)
    fee_.refresh_from_db()
    fee_.amount = Decimal(3)
    with pytest.raises(ValidationError, match="only takes its end"):
        fee_.save()
    assert told() == [(OLD, MAY, JUNE), (NEW, JUNE, None)]


def test_force_update_corrects_in_place() -> None:
    wrong = fee()
    wrong.amount = NEW
    wrong.save(force_update=True)
    assert told() == [(NEW, MAY, None)]
    assert [found.field for found in wrong.history.first().differences()] == ["amount"]


def test_what_has_not_begun_is_corrected_in_place() -> None:
    tomorrow = timezone.now() + DAY
    planned = fee(start_date=tomorrow)
    planned.amount = NEW
    planned.save()
    assert told() == [(NEW, tomorrow, None)]
    planned.delete()
    assert told() == []


def test_a_save_without_a_change_makes_no_version() -> None:
    same = Fee.objects.get(pk=fee().pk)
    same.amount = "0.19520"  # as a form might give it
    same.save()
    assert told() == [(OLD, MAY, None)]


def test_a_save_of_named_fields_looks_at_these_only() -> None:
    changed = fee()
    changed.amount, changed.kind = NEW, "child"
    changed.save(update_fields=["end_date"])
    assert told() == [(OLD, MAY, None)]
    changed.save(update_fields=["amount"])
    assert list(Fee.objects.order_by("start_date").values_list("kind", "amount")) == [("adult", OLD), ("adult", NEW)]


def test_what_was_not_loaded_is_in_the_next_version_too() -> None:
    made = fee()
    partly = Fee.objects.only("kind").get()
    partly.kind = "child"
    partly.save()
    assert list(Fee.objects.order_by("start_date").values_list("kind", "amount")) == [("adult", OLD), ("child", OLD)]
    stale = Fee.objects.get(kind="child")
    Fee.objects.filter(pk=stale.pk).update(amount=NEW)  # corrected meanwhile
    assert stale.revise(kind="adult").amount == NEW
    assert made.get_deferred_fields() == set()


def test_a_next_version_begins_after_the_one_before() -> None:
    old = fee(start_date=JUNE)
    for wrong in (JUNE, MAY):
        with pytest.raises(ValidationError, match="closed meanwhile, or begins later"):
            old.revise(wrong, amount=NEW)
    old.amount, old.start_date = NEW, MAY
    with pytest.raises(ValidationError, match="begins after the one"):
        old.save()
    assert told() == [(OLD, JUNE, None)]


def test_of_two_who_change_one_version_the_second_is_told() -> None:
    made = fee()
    one, other = Fee.objects.get(pk=made.pk), Fee.objects.get(pk=made.pk)
    one.revise(JUNE, amount=NEW)
    for at in (JUNE - DAY, JULY):
        with pytest.raises(ValidationError, match="closed meanwhile"):
            other.revise(at, amount=Decimal(3))
    assert told() == [(OLD, MAY, JUNE), (NEW, JUNE, None)]


def test_a_next_version_that_cannot_be_written_leaves_the_old_one_open() -> None:
    Fee.objects.create(kind="child", amount=1, start_date=MAY)
    old = fee()
    with pytest.raises(IntegrityError), transaction.atomic():
        old.revise(JUNE, kind="child")
    old.refresh_from_db()
    assert (old.end_date, Fee.objects.count(), old.history.count()) == (None, 2, 1)


def test_a_deletion_closes_and_force_deletes() -> None:
    made = fee()
    before = timezone.now()
    assert made.delete() == (0, {})
    assert made.end_date is not None
    assert before <= made.end_date <= timezone.now()
    ended = made.end_date
    made.delete()  # it ended already
    assert told() == [(OLD, MAY, ended)]
    made.delete(force=True)
    assert told() == []


def test_a_deletion_of_many_closes_them_in_history_too(ann: User) -> None:
    adult, child = fee(), fee(kind="child")
    with acting(ann):
        assert Fee.objects.all().delete() == (0, {})
    assert Fee.objects.select_valid().count() == 0
    assert [row.history.first().history_user for row in (adult, child)] == [ann, ann]
    assert Fee.objects.all().delete(force=True)[0] == 2


# --- which version holds -------------------------------------------------------------------------


def test_at_the_boundary_exactly_one_version_holds() -> None:
    fee().revise(JUNE, amount=NEW)
    instant = timedelta(microseconds=1)
    held = [list(Fee.objects.select_valid(at).values_list("amount", flat=True)) for at in (JUNE - instant, JUNE)]
    assert held == [[OLD], [NEW]]


def test_before_all_versions_none_holds() -> None:
    fee()
    assert not Fee.objects.select_valid(MAY - DAY).exists()


def test_invalid_ones_and_all_can_be_asked_for() -> None:
    fee().revise(JUNE, amount=NEW)
    fee(kind="child", start_date=timezone.now() + DAY, amount=3)

    def amounts(valid: bool | None) -> set[Decimal]:
        return set(Fee.objects.select_valid(JULY, valid=valid).values_list("amount", flat=True))

    assert (amounts(True), amounts(False), amounts(None)) == ({NEW}, {OLD, Decimal(3)}, {NEW, OLD, Decimal(3)})
    assert amounts(True) == set(
        Fee.objects.filter(start_date__gt=MAY).select_valid(JULY).values_list("amount", flat=True)
    )


@pytest.mark.parametrize(
    "when",
    [date(2026, 6, 1), "2026-06-01", "2026-06-01T00:00:00+02:00", "2026-06-01 00:00", datetime(2026, 6, 1)],  # noqa: DTZ001  without a zone on purpose
)
def test_dates_are_given_as_instants_days_or_text(when: Any) -> None:
    """A day is its first instant where the meter is: midnight in Paris, two hours before that of June in UTC."""
    paris = JUNE - timedelta(hours=2)
    fee().revise(paris, amount=NEW)
    assert Fee.objects.select_valid(when).get().amount == NEW
    Fee.objects.filter(end_date=None).update(start_date=paris + timedelta(microseconds=1))
    assert not Fee.objects.select_valid(when).exists()


def test_now_is_meant_when_no_date_is_given() -> None:
    Opening.objects.create(hours="9-12", start_date=MAY, end_date=JUNE)
    current = Opening.objects.create(hours="9-17", start_date=JUNE)
    assert Opening.objects.select_valid().get() == current
