"""Rows of `Data` by each engine's own way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from storage.models import Data, Epoch, Meter
from storage.writer import insert

NOON = datetime(2026, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)


def epoch_of(meter: str = "m") -> Epoch:
    made, _ = Meter.objects.get_or_create(meter_id=meter)
    about = {"bridge": "pi", "handled": 0, "floor": 1}
    return Epoch.objects.get_or_create(meter=made, uuid=UUID(int=1), defaults=about)[0]


def row(seq: int, **fields: Any) -> dict[str, Any]:  # any field of Data
    epoch = epoch_of()
    return {"meter": epoch.meter_id, "epoch": epoch.pk, "seq": seq, "dateTime": NOON, **fields}


@pytest.mark.django_db
def test_what_is_new_is_given_and_what_is_there_stays_as_it_is() -> None:
    epoch = epoch_of()
    assert insert([row(1, east=1), row(2, east=2)]) == [(epoch.pk, 1), (epoch.pk, 2)]
    assert insert([row(2, east=99), row(3, east=3), row(3, east=98)]) == [(epoch.pk, 3)]
    assert list(Data.objects.order_by("seq").values_list("seq", "east")) == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.django_db
def test_a_transaction_may_write_more_often_and_more_than_a_statement_holds() -> None:
    for start in (0, 1300):
        assert len(insert([row(start + n) for n in range(1, 1301)])) == 1300
    assert Data.objects.count() == 2600


@pytest.mark.django_db
def test_nothing_is_nothing() -> None:
    assert insert([]) == []


@pytest.mark.django_db
def test_after_a_row_that_the_database_refuses_the_transaction_goes_on() -> None:
    insert([row(1)])
    with pytest.raises(DatabaseError), transaction.atomic():
        insert([row(2), row(3, dateTime=None)])
    insert([row(4)])
    assert list(Data.objects.order_by("seq").values_list("seq", flat=True)) == [1, 4]


@pytest.mark.django_db
@pytest.mark.postgresql
@pytest.mark.parametrize("fields", [{"ltarf": "a\0b"}, {"east": 2**31}, {"ltarf": "x" * 17}])
def test_what_copy_itself_refuses_is_an_error_of_django(fields: dict[str, Any]) -> None:
    with pytest.raises(DatabaseError), transaction.atomic():
        insert([row(1), row(2, **fields)])
    assert insert([row(1)]) == [(epoch_of().pk, 1)]


@pytest.mark.django_db
@pytest.mark.postgresql
def test_the_table_of_a_session_is_made_once_and_holds_nothing_afterwards() -> None:
    with connection.cursor() as cursor:
        made = set()
        for seq in (1, 2):
            insert([row(seq)])
            cursor.execute("SELECT 'pg_temp.storage_incoming'::regclass::oid, (SELECT count(*) FROM storage_incoming)")
            made.add(cursor.fetchone())
    assert [count for _, count in made] == [0]


@pytest.mark.django_db(transaction=True)
def test_writing_without_a_transaction_is_a_mistake() -> None:
    one = row(1)
    with pytest.raises(AssertionError):
        insert([one])


class TestAnyRow(TestCase):
    """What is written is what is read."""

    @given(
        at=st.integers(0, 4 * 10**15).map(lambda us: datetime(1971, 1, 1, tzinfo=UTC) + timedelta(microseconds=us)),
        text=st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=16),
        number=st.none() | st.integers(-(2**31), 2**31 - 1),
        small=st.none() | st.integers(-(2**15), 2**15 - 1),
        extra=st.none()
        | st.dictionaries(st.sampled_from(["UMOY1", 'a"b\\', "\t"]), st.sampled_from(["", "\n", "é\\N"])),
    )
    def test_it_comes_back(
        self, at: datetime, text: str | None, number: int | None, small: int | None, extra: dict[str, str] | None
    ) -> None:
        fields = {
            "dateTime": at, "stamp_utc": at + timedelta(seconds=1), "ltarf": text, "sinsts": number, "irms1": small,
            "extra": extra,
        }  # fmt: skip
        Data.objects.all().delete()
        with transaction.atomic():
            insert([row(7, **fields)])
        assert Data.objects.values(*fields).get() == fields
