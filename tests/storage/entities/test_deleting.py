"""What a deletion would take."""

from __future__ import annotations

import pytest

from storage.entities.deleting import NAMED, Deletion, Taken, collect_deleted_data
from tests.storage.entities.library.models import Author, Book, Edition, Fee, Loan, Note, Plain, Tag

pytestmark = pytest.mark.django_db


def test_what_goes_and_what_loses_its_link_is_told_and_nothing_is_touched() -> None:
    author = Author.objects.create(name="Zola")
    book = Book.objects.create(title="Germinal", author=author)
    book.tags.add(Tag.objects.create(word="t"))
    Edition.objects.create(book=book, number=1)
    Edition.objects.create(book=book, number=2)
    Author.objects.create(name="Hugo", favourite=book)
    before = book.history.count()
    assert collect_deleted_data(book) == Deletion(
        deleted=(
            Taken("library.book", 1, ("Germinal",)),
            Taken("library.book_tags", 1, (f"Book_tags object ({Book.tags.through.objects.get().pk})",)),
            Taken("library.edition", 2, ("Germinal 1", "Germinal 2")),
        ),
        unlinked=(Taken("library.author", 1, ("Hugo",)),),
        blocked=(),
    )
    assert (Edition.objects.count(), book.history.count()) == (2, before)
    assert collect_deleted_data(author).unlinked == (Taken("library.book", 1, ("Germinal",)),)


def test_what_blocks_is_told() -> None:
    edition = Edition.objects.create(book=Book.objects.create(title="Germinal"), number=1)
    Loan.objects.create(edition=edition)
    assert collect_deleted_data(edition.book) == Deletion((), (), (Taken("library.loan", 1, ("loan of Germinal 1",)),))


def test_what_restricts_is_told() -> None:
    book, other = Book.objects.create(title="Germinal"), Book.objects.create(title="Nana")
    Loan.objects.create(edition=Edition.objects.create(book=other, number=1), book=book)
    assert collect_deleted_data(book) == Deletion((), (), (Taken("library.loan", 1, ("loan of Nana 1",)),))


def test_of_many_the_first_are_named() -> None:
    author = Author.objects.create(name="Zola")
    for number in range(NAMED + 5):
        Note.objects.create(text=str(number), author=author)
    ((kind, count, names),) = [(t.model, t.count, t.names) for t in collect_deleted_data(author).unlinked]
    assert (kind, count, len(names)) == ("library.note", NAMED + 5, NAMED)


def test_a_query_set_and_nothing_at_all() -> None:
    Plain.objects.bulk_create([Plain(title="a"), Plain(title="b")])
    assert collect_deleted_data(Plain.objects.order_by("pk")).deleted == (Taken("library.plain", 2, ("a", "b")),)
    assert collect_deleted_data(Plain.objects.none()) == Deletion((), (), ())


def test_a_perishable_entity_is_told_as_if_it_were_deleted_in_truth() -> None:
    fee = Fee.objects.create(kind="adult", amount=1)
    assert collect_deleted_data(fee).deleted == (Taken("library.fee", 1, ("adult: 1",)),)
