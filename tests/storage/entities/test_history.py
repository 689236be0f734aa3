"""What is kept of each change."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import transaction

from storage.entities.history import Difference
from storage.entities.models import acting
from tests.storage.entities.library.models import Author, Book, Tag

pytestmark = pytest.mark.django_db

STORAGE = Path(__file__).parents[3] / "storage"


def told(entity: Author | Book) -> list[tuple[str, tuple[Difference, ...]]]:
    """Type and differences of each row of history, oldest first."""
    return [(row.history_type, row.differences()) for row in entity.history.order_by("history_id")]


def test_each_change_is_a_row_with_its_author_and_reason(ann: User, bob: User) -> None:
    book = Book(title="Germinal")
    book.save(_current_user=ann, _reason="bought")
    book.pages = 500
    book.save(_current_user=bob, _reason="counted")
    book.pages = 501
    book.save()
    rows = book.history.order_by("history_id").values_list("history_user__username", "history_change_reason", "pages")
    assert list(rows) == [("ann", "bought", 100), ("bob", "counted", 500), (None, None, 501)]


def test_a_difference_names_the_changed_fields_only() -> None:
    author = Author.objects.create(name="Zola")
    book = Book.objects.create(title="Germinal")
    book.pages, book.author, book.shelf_mark = 500, author, "Z1"
    book.save()
    assert told(book) == [
        ("+", ()),
        (
            "~",
            (Difference("author", None, author.pk), Difference("pages", 100, 500), Difference("shelf_mark", "", "Z1")),
        ),
    ]


def test_two_rows_of_one_instant_are_told_apart() -> None:
    book = Book.objects.create(title="a")
    for title in "bc":
        book.title = title
        book.save()
    book.history.update(history_date=book.creation_date)
    assert told(book) == [("+", ()), ("~", (Difference("title", "a", "b"),)), ("~", (Difference("title", "b", "c"),))]


def test_links_to_many_are_in_history_added_removed_and_cleared() -> None:
    old, new = Tag.objects.create(word="old"), Tag.objects.create(word="new")
    book = Book.objects.create(title="a")
    book.tags.add(old, new)
    book.tags.remove(old)
    book.tags.clear()
    assert [differences for _, differences in told(book)] == [
        (),
        (Difference("tags", [], [old.pk, new.pk]),),
        (Difference("tags", [old.pk, new.pk], [new.pk]),),
        (Difference("tags", [new.pk], []),),
    ]


def test_links_are_in_history_when_they_change_from_the_other_side() -> None:
    tag = Tag.objects.create(word="t")
    book, other = Book.objects.create(title="a"), Book.objects.create(title="b")
    tag.books.add(book, other)
    tag.books.remove(other)
    tag.books.clear()
    here, gone = Difference("tags", [], [tag.pk]), Difference("tags", [tag.pk], [])
    assert [differences for _, differences in told(book)] == [(), (here,), (gone,)]
    assert [differences for _, differences in told(other)] == [(), (here,), (gone,)]


def test_history_is_there_at_once_and_gone_with_the_transaction() -> None:
    def cancelled() -> None:
        with transaction.atomic():
            Author.objects.create(name="Zola")
            assert Author.history.count() == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cancelled()
    assert (Author.objects.count(), Author.history.count()) == (0, 0)


@pytest.mark.django_db(transaction=True)
def test_without_history_there_is_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    author = Author.objects.create(name="Zola")

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Author.history.model, "save", full)
    author.name = "Hugo"
    with pytest.raises(OSError, match="disk full"):
        author.save()
    assert Author.objects.get().name == "Zola"


def test_changes_of_many_are_in_history_too(ann: User) -> None:
    with acting(ann):
        books = Book.objects.bulk_create([Book(title="a"), Book(title="b")])
    assert {book.current_user for book in Book.objects.all()} == {ann}
    assert {row.history_user for row in Book.history.all()} == {ann}
    with acting(ann, "recount"):
        assert Book.objects.filter(title="a").update(pages=7) == 1
    for book in books:
        book.cover = Book.Cover.HARD
    Book.objects.bulk_update(books, ["cover"])
    first, second = Book.objects.order_by("title")
    assert told(first) == [
        ("+", ()), ("~", (Difference("pages", 100, 7),)), ("~", (Difference("cover", "s", "h"),)),
    ]  # fmt: skip
    assert told(second) == [("+", ()), ("~", (Difference("cover", "s", "h"),))]
    assert first.history.get(pages=7, cover="s").history_user == ann


def test_a_manager_of_related_rows_writes_history() -> None:
    author, book = Author.objects.create(name="Zola"), Book.objects.create(title="a")
    author.book_set.add(book)
    author.book_set.clear()
    assert told(book) == [
        ("+", ()), ("~", (Difference("author", None, author.pk),)), ("~", (Difference("author", author.pk, None),)),
    ]  # fmt: skip


def test_many_are_not_created_where_nobody_could_tell_which_are_new() -> None:
    with pytest.raises(ValueError, match="which entities are new"):
        Book.objects.bulk_create([Book(title="a")], ignore_conflicts=True)
    assert Book.history.count() == 0


def test_a_deletion_is_the_last_row(ann: User) -> None:
    author = Author.objects.create(name="Zola")
    pk = author.pk
    author.delete(_current_user=ann, _reason="twice")
    row = Author.history.filter(id=pk).first()
    assert row is not None
    assert (row.history_type, row.name, row.history_user, row.history_change_reason) == ("-", "Zola", ann, "twice")


def test_a_link_that_a_deletion_empties_is_in_history() -> None:
    author = Author.objects.create(name="Zola")
    pk, book = author.pk, Book.objects.create(title="a", author=author)
    author.delete()
    assert told(book) == [("+", ()), ("~", (Difference("author", pk, None),))]


def test_nothing_of_ours_writes_history_twice() -> None:
    """`bulk_create_with_history` and its like repeat what our query sets write."""
    guilty = [
        path.name
        for path in STORAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and any("_with_history" in alias.name for alias in node.names)
    ]
    assert guilty == []
