"""Notes on entities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from storage.entities.metadata import Metadata, get_metadata, notes_of, set_metadata
from tests.storage.entities.library.models import Author, Book, Note, Tag

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
VALUES = ["text", "", 7, 2.5, True, False, None, [1, "a", None], {"b": 1, "a": {"c": [2]}}]


@pytest.fixture
def author() -> Author:
    return Author.objects.create(name="Zola")


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_json_value_comes_back_as_it_was(author: Author, value: Any) -> None:
    author.set_metadata("k", value)
    found = author.get_metadata("k")
    assert (found, type(found)) == (value, type(value))


def test_what_json_does_not_know_becomes_text(author: Author) -> None:
    author.set_metadata("k", {"price": Decimal("0.10"), "at": datetime(2026, 6, 1, tzinfo=UTC)})
    assert author.get_metadata("k") == {"price": "0.10", "at": "2026-06-01T00:00:00Z"}


def test_what_was_never_noted_is_none(author: Author) -> None:
    assert (author.get_metadata("k"), author.get_metadata(), author.del_metadata("k")) == (None, {}, False)


def test_a_key_is_there_once_and_can_be_forgotten(author: Author) -> None:
    author.set_metadata("k", 1)
    author.set_metadata("k", 2)
    author.set_metadata("l", 3)
    assert author.get_metadata() == {"k": 2, "l": 3}
    assert author.del_metadata("k")
    assert author.get_metadata() == {"l": 3}
    author.set_metadata("m", 4)
    assert author.del_metadata()
    assert author.get_metadata() == {}


def test_objects_do_not_share_notes(author: Author) -> None:
    """An author and a book of one number."""
    author.set_metadata("k", 1)
    book = Book.objects.create(pk=author.pk, title="a")
    other = Author.objects.create(name="Hugo")
    assert (book.get_metadata(), other.get_metadata()) == ({}, {})


def test_what_expired_is_returned_only_when_asked_for(author: Author) -> None:
    author.set_metadata("old", 1, timezone.now() - HOUR)
    author.set_metadata("new", 2, timezone.now() + HOUR)
    assert author.get_metadata() == {"new": 2}
    assert (author.get_metadata("old"), author.get_metadata("old", expired=True)) == (None, 1)
    assert author.get_metadata(expired=True) == {"new": 2, "old": 1}
    author.set_metadata("old", 3)  # without a date it no longer expires
    assert author.get_metadata("old") == 3


def test_a_date_is_taken_as_text_too(author: Author) -> None:
    author.set_metadata("k", 1, "2026-06-01T00:00:00+02:00")
    assert Metadata.objects.get().expires == datetime(2026, 5, 31, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "added", "after"),
    [
        ([1], [2, 3], [1, 2, 3]),
        ([1], 2, [1, 2]),
        ({"a": 1, "b": {"c": 1}}, {"b": {"d": 2}}, {"a": 1, "b": {"c": 1, "d": 2}}),
        ({"a": 1}, {"a": 2}, {"a": 2}),
        ("old", "new", "new"),
        ({"a": 1}, [1], [1]),
    ],
    ids=str,
)
def test_lists_grow_and_dictionaries_merge(author: Author, before: Any, added: Any, after: Any) -> None:
    author.set_metadata("k", before)
    assert author.add_metadata("k", added) == after
    assert author.get_metadata("k") == after


def test_what_is_added_to_nothing_or_to_what_expired_is_set(author: Author) -> None:
    author.add_metadata("new", [1])
    author.set_metadata("old", [1], timezone.now() - HOUR)
    author.add_metadata("old", [2])
    assert author.get_metadata() == {"new": [1], "old": [2]}


def test_an_addition_keeps_the_date_or_takes_a_new_one(author: Author) -> None:
    first, second = timezone.now() + HOUR, timezone.now() + 2 * HOUR
    author.set_metadata("k", [1], first)
    author.add_metadata("k", [2])
    assert Metadata.objects.get().expires == first
    author.add_metadata("k", [3], second)
    assert Metadata.objects.get().expires == second


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_both_searches_find_a_value_and_nothing_else(author: Author, value: Any) -> None:
    others = [other for other in VALUES if type(other) is not type(value) or other != value]
    for number, other in enumerate(others):
        Author.objects.create(name=str(number)).set_metadata("k", other)
    author.set_metadata("k", value)
    assert [row.owner for row in Metadata.objects.search(value=value)] == [author]
    assert list(Author.objects.filter_metadata(value=value)) == [author]
    assert list(Author.objects.filter_metadata("k", value)) == [author]
    assert not Author.objects.filter_metadata("other", value).exists()


def test_a_dictionary_is_found_whatever_the_order_of_its_keys(author: Author) -> None:
    author.set_metadata("k", {"a": 1, "b": {"d": 2, "c": 3}})
    assert Metadata.objects.search("k", {"b": {"c": 3, "d": 2}, "a": 1}).count() == 1


def test_a_whole_number_is_found_with_and_without_a_point(author: Author) -> None:
    author.set_metadata("k", 5.0)
    author.set_metadata("l", 5)
    assert [Metadata.objects.search(value=value).count() for value in (5, 5.0, 5.5, "5")] == [2, 2, 0, 0]


def test_a_search_is_of_one_type_if_it_says_so(author: Author) -> None:
    book = Book.objects.create(title="a")
    for row in (author, book):
        row.set_metadata("k", 1)
    assert Metadata.objects.search("k").count() == 2
    assert [row.owner for row in Metadata.objects.search("k", 1, Book)] == [book]


def test_searches_do_not_find_what_expired_unless_asked(author: Author) -> None:
    author.set_metadata("k", 1, timezone.now() - HOUR)
    assert not Metadata.objects.search("k").exists()
    assert not Author.objects.filter_metadata("k").exists()
    assert Metadata.objects.search("k", expired=True).exists()
    assert Author.objects.filter_metadata("k", expired=True).exists()


def test_a_filter_goes_on_as_a_query_set(author: Author) -> None:
    Author.objects.create(name="Hugo").set_metadata("k", 1)
    author.set_metadata("k", 1)
    assert list(Author.objects.filter(name__startswith="Z").filter_metadata("k", 1).order_by("name")) == [author]


def test_a_key_that_is_a_uuid_serves_as_well() -> None:
    note, other = Note.objects.create(text="n"), Note.objects.create(text="o")
    note.set_metadata("k", 1)
    assert list(Note.objects.filter_metadata("k")) == [note]
    assert (note.get_metadata("k"), other.get_metadata("k")) == (1, None)
    assert Metadata.objects.get().owner == note


def test_a_note_outlives_its_object(author: Author) -> None:
    author.set_metadata("k", 1)
    author.delete()
    kept = Metadata.objects.get()
    assert (kept.value, kept.owner) == (1, None)


def test_an_object_of_any_model_may_have_notes() -> None:
    group = Group.objects.create(name="readers")
    set_metadata(group, "k", 1)
    assert get_metadata(group) == {"k": 1}


def test_the_notes_of_many_take_one_query(django_assert_num_queries: Any) -> None:
    one, two, none = Note.objects.create(text="1"), Note.objects.create(text="2"), Note.objects.create(text="3")
    one.set_metadata("b", 1)
    one.set_metadata("a", None)
    two.set_metadata("a", 2)
    two.set_metadata("old", 2, timezone.now() - HOUR)
    with django_assert_num_queries(1):
        assert notes_of([one, two, none]) == {one.pk: {"a": None, "b": 1}, two.pk: {"a": 2}}
    assert notes_of([]) == {}


def test_what_is_not_saved_has_no_notes() -> None:
    with pytest.raises(ValueError, match="save it first"):
        Tag(word="t").set_metadata("k", 1)


def test_notes_survive_the_deletion_of_who_wrote_them(author: Author, ann: User) -> None:
    author.set_metadata("by", ann.pk)
    ann.delete()
    assert author.get_metadata("by") is not None
