"""The way back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from storage.entities.history import Difference
from tests.storage.entities.library.models import Author, Book, Edition, Fee, Note, Tag

pytestmark = pytest.mark.django_db


def edited() -> Book:
    """A book with three rows of history."""
    book = Book.objects.create(title="a", pages=1)
    book.title, book.pages = "b", 2
    book.save()
    book.pages = 3
    book.save()
    return book


def first(entity: Any) -> Any:
    """The oldest row of history."""
    return entity.history.earliest()


def state(book: Book) -> tuple[str, int]:
    book.refresh_from_db()
    return book.title, book.pages


def test_an_entity_goes_back_to_a_version_and_that_is_a_version_too(ann: User) -> None:
    book = edited()
    restored = first(book).restore(_current_user=ann, _reason="it was right")
    assert restored == book
    assert state(book) == ("a", 1)
    newest = book.history.first()
    assert newest is not None
    assert (newest.history_type, newest.history_user, newest.history_change_reason, newest.restored_from) == (
        "~", ann, "it was right", first(book).history_id,
    )  # fmt: skip
    assert newest.differences() == (Difference("title", "b", "a"), Difference("pages", 3, 1))
    assert book.history.count() == 4
    assert Book.objects.get().current_user == ann


def test_one_field_goes_back_and_the_others_keep_later_edits() -> None:
    book = edited()
    first(book).restore(fields=["title"])
    assert state(book) == ("a", 3)


def test_an_unknown_field_is_named() -> None:
    with pytest.raises(ValueError, match=r"fields=\['titel'\] cannot be restored: expected some of .*title"):
        first(edited()).restore(fields=["titel"])


def test_a_restore_is_undone_from_either_of_its_rows() -> None:
    for which in ("source", "result"):
        book = edited()
        source = first(book)
        source.restore()
        row = source if which == "source" else book.history.first()
        row.restore(rollback=True)
        assert state(book) == ("b", 3), which
        book.history.first().restore(rollback=True)  # the undoing is itself a restore
        assert state(book) == ("a", 1), which


def test_the_undoing_of_a_restore_leaves_later_edits_alone() -> None:
    book = edited()
    first(book).restore(fields=["title"])
    book.refresh_from_db()
    book.pages = 9
    book.save()
    first(book).restore(rollback=True)
    assert state(book) == ("b", 9)


def test_what_was_never_restored_cannot_be_undone() -> None:
    with pytest.raises(ValidationError, match="Nothing was restored"):
        first(edited()).restore(rollback=True)


def test_links_to_many_go_back() -> None:
    tag, other = Tag.objects.create(word="t"), Tag.objects.create(word="o")
    book = Book.objects.create(title="a")
    book.tags.add(tag, other)
    with_tags = book.history.first()
    book.tags.clear()
    other.delete()
    with_tags.restore()
    assert list(book.tags.all()) == [tag]  # the other one is gone
    newest = book.history.first()
    assert newest is not None
    assert newest.differences() == (Difference("tags", [], [tag.pk]),)
    newest.restore(rollback=True)
    assert list(book.tags.all()) == []


def test_a_deleted_entity_comes_back_as_it_was_with_what_was_linked_to_it(ann: User) -> None:
    author = Author.objects.create(name="Zola")
    author.set_metadata("born", 1840)
    book, note = Book.objects.create(title="a", author=author), Note.objects.create(text="n", author=author)
    elsewhere = Book.objects.create(title="b", author=author)
    edition = Edition.objects.create(book=elsewhere, number=1, foreword_by=author)  # a link without a way back
    was = Author.objects.filter(pk=author.pk).values("id", "uuid", "creation_date", "name").get()
    author.delete()
    elsewhere.author = Author.objects.create(name="Hugo")
    elsewhere.save()
    Author.history.filter(id=was["id"]).first().restore(_current_user=ann)
    author = Author.objects.get(pk=was["id"])
    assert Author.objects.filter(pk=author.pk).values("id", "uuid", "creation_date", "name").get() == was
    assert author.get_metadata() == {"born": 1840}
    assert set(author.book_set.all()) == {book}
    assert set(author.note_set.all()) == {note}
    edition.refresh_from_db()
    assert edition.foreword_by == author
    kinds = author.history.order_by("history_id").values_list("history_type", "history_user__username")
    assert list(kinds) == [("+", None), ("-", None), ("+", "ann")]
    row = book.history.first()
    assert row is not None
    assert (row.differences(), row.history_user) == ((Difference("author", None, author.pk),), ann)


def test_a_deleted_entity_comes_back_with_its_own_links() -> None:
    tag, author = Tag.objects.create(word="t"), Author.objects.create(name="Zola")
    book = Book.objects.create(title="a", author=author)
    book.tags.add(tag)
    pk = book.pk
    book.delete()
    Book.history.filter(id=pk).first().restore()
    book = Book.objects.get(pk=pk)
    assert (book.author, list(book.tags.all())) == (author, [tag])


def test_the_return_from_a_deletion_is_undone() -> None:
    author = Author.objects.create(name="Zola")
    pk = author.pk
    author.delete()
    deletion = Author.history.filter(id=pk).first()
    deletion.restore()
    assert deletion.restore(rollback=True) is None
    assert not Author.objects.filter(pk=pk).exists()
    Author.history.filter(id=pk).first().restore(rollback=True)
    assert Author.objects.get(pk=pk).name == "Zola"


def test_of_a_deleted_entity_no_single_field_comes_back() -> None:
    author = Author.objects.create(name="Zola")
    pk = author.pk
    author.delete()
    with pytest.raises(ValidationError, match="restore it as a whole first"):
        Author.history.filter(id=pk).first().restore(fields=["name"])


def test_a_link_to_what_is_gone_becomes_empty_or_is_refused() -> None:
    author, book = Author.objects.create(name="Zola"), Book.objects.create(title="a")
    edition = Edition.objects.create(book=book, number=1)
    book.author = author
    book.save()
    linked, edition_pk = book.history.first(), edition.pk
    author.delete()
    linked.restore()
    assert Book.objects.get().author is None
    book.delete()
    with pytest.raises(ValidationError, match="which is deleted: restore that first"):
        Edition.history.filter(id=edition_pk).first().restore()


def test_a_signature_of_a_user_who_is_gone_does_not_stop_a_return(ann: User) -> None:
    author = Author(name="Zola")
    author.save(_current_user=ann)
    pk = author.pk
    author.delete()
    ann.delete()
    Author.history.filter(id=pk).first().restore()
    assert Author.objects.get(pk=pk).current_user is None


def test_what_became_somebody_elses_is_not_taken_back() -> None:
    author = Author.objects.create(name="Zola")
    author.name = "Emile Zola"
    author.save()
    Author.objects.create(name="Zola")
    with pytest.raises(ValidationError, match="already exists"):
        first(author).restore()
    assert Author.objects.get(pk=author.pk).name == "Emile Zola"


def test_a_perishable_entity_is_restored_in_place() -> None:
    fee = Fee.objects.create(kind="adult", amount=1)
    fee.amount = 2  # a slip of the pen
    fee.save(force_update=True)
    first(fee).restore()
    assert [(row.pk, row.amount) for row in Fee.objects.all()] == [(fee.pk, Decimal(1))]
