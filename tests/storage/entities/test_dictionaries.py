"""Each option of `to_dict`."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db.models import Count

from storage.entities.dictionaries import DEEPEST, plain
from tests.storage.entities.library.models import Author, Book, Tag

pytestmark = pytest.mark.django_db

MADE = datetime(2026, 6, 1, 10, tzinfo=UTC)
UUID_ = UUID("11111111-2222-4333-8444-555555555555")


@pytest.fixture
def book(ann: User) -> Book:
    author = Author.objects.create(name="Zola")
    made = Book.objects.create(
        title="Germinal", author=author, pages=500, printed=date(1885, 3, 1), weight=Decimal("0.40"), uuid=UUID_,
        current_user=ann,
    )  # fmt: skip
    made.tags.add(Tag.objects.create(word="mine"), Tag.objects.create(word="strike"))
    Book.objects.filter(pk=made.pk).update(creation_date=MADE, modification_date=MADE)
    return Book.objects.get(pk=made.pk)


def test_without_options_it_is_every_column_but_the_uuid_as_json_knows_it(book: Book) -> None:
    assert book.to_dict() == {
        "id": book.pk, "creation_date": "2026-06-01T10:00:00+00:00", "modification_date": "2026-06-01T10:00:00+00:00",
        "current_user": book.current_user_id, "title": "Germinal", "author": book.author_id, "pages": 500, "cover": "s",
        "printed": "1885-03-01", "weight": "0.4", "shelf_mark": "",
    }  # fmt: skip


def test_a_query_set_is_a_list(book: Book) -> None:
    other = Book.objects.create(title="Nana")
    rows = Book.objects.order_by("title").to_dict(includes=["id", "title"])
    assert rows == [{"id": book.pk, "title": "Germinal"}, {"id": other.pk, "title": "Nana"}]


def test_includes(book: Book) -> None:
    assert book.to_dict(includes=["title", "uuid"]) == {"title": "Germinal", "uuid": str(UUID_)}


def test_excludes(book: Book) -> None:
    assert book.to_dict(includes=["title", "pages"], excludes=["pages"]) == {"title": "Germinal"}


def test_editables(book: Book) -> None:
    assert set(book.to_dict(editables=True)) == {"title", "author", "pages", "cover", "printed", "weight"}


def test_uids(book: Book) -> None:
    assert book.to_dict(uids=True) == {**book.to_dict(), "uuid": str(UUID_)}


def test_metadata(book: Book) -> None:
    book.set_metadata("shelf", 3)
    assert book.to_dict(includes=["title"], metadata=True) == {"title": "Germinal", "metadata": {"shelf": 3}}


def test_names(book: Book) -> None:
    assert book.to_dict(includes=["id"], names=True) == {"_name": "Germinal", "id": book.pk}


def test_types(book: Book) -> None:
    assert book.to_dict(includes=["id"], types=True) == {"_type": "library.book", "id": book.pk}


def test_display(book: Book) -> None:
    shown = book.to_dict(includes=["title", "cover"], display=True)
    assert shown == {"title": "Germinal", "cover": "s", "cover_display": "paperback"}


def test_labels(book: Book) -> None:
    assert book.to_dict(includes=["title", "pages"], labels=True) == {"book's title": "Germinal", "pages": 500}


def test_fks_opens_entities_and_nothing_else(book: Book, ann: User) -> None:
    found = book.to_dict(fks=True, no_empty=True, excludes=["creation_date", "modification_date"])
    assert found == {
        "id": book.pk, "current_user": ann.pk, "title": "Germinal", "author": {"id": book.author_id, "name": "Zola"},
        "pages": 500, "cover": "s", "printed": "1885-03-01", "weight": "0.4",
    }  # fmt: skip


def test_m2m(book: Book) -> None:
    first, second = book.tags.order_by("pk")
    assert book.to_dict(includes=["tags"], m2m=True) == {"tags": [tag.to_dict() for tag in (first, second)]}
    assert book.to_dict(includes=["tags"], m2m=True, depth=0) == {"tags": [first.pk, second.pk]}
    assert book.to_dict(includes=["tags"]) == {}


def test_depth_counts_relations_and_a_circle_ends_at_a_key(book: Book) -> None:
    assert book.author is not None
    book.author.favourite = book
    book.author.save()
    dates = ["creation_date", "modification_date", "current_user"]

    def at(depth: int) -> Any:
        found = book.to_dict(
            fks=True, depth=depth, excludes=[*dates, "pages", "cover", "printed", "weight", "shelf_mark"]
        )
        return found["author"]

    author, again = book.author_id, {"id": book.pk, "title": "Germinal", "author": book.author_id}
    assert at(0) == author
    assert at(1) == {"id": author, "name": "Zola", "favourite": book.pk}
    assert at(2) == {"id": author, "name": "Zola", "favourite": again}
    assert at(3) == at(DEEPEST) == at(2)  # the author was met before


@pytest.mark.parametrize("depth", [-1, DEEPEST + 1, 10**9])
def test_depth_is_bounded(book: Book, depth: int) -> None:
    with pytest.raises(ValueError, match=f"depth={depth} will not do: expected 0 to 5"):
        book.to_dict(depth=depth)


def test_no_ids(book: Book) -> None:
    found = book.to_dict(
        no_ids=True, fks=True, m2m=True, excludes=["creation_date", "modification_date"], no_empty=True
    )
    assert found == {
        "title": "Germinal", "author": {"name": "Zola"}, "pages": 500, "cover": "s", "printed": "1885-03-01",
        "weight": "0.4", "tags": [{"word": "mine"}, {"word": "strike"}],
    }  # fmt: skip


def test_no_empty() -> None:
    bare = Book.objects.create(title="Nana", pages=0)
    found = bare.to_dict(no_empty=True, m2m=True, metadata=True, excludes=["creation_date", "modification_date"])
    assert found == {"id": bare.pk, "title": "Nana", "pages": 0, "cover": "s"}


def test_functions(book: Book) -> None:
    found = book.to_dict(includes=["title"], functions=["summary"])
    assert found == {"title": "Germinal", "summary": "Germinal, 500 pages"}


@pytest.mark.parametrize("name", ["delete", "save", "set_metadata", "_perform_unique_checks", "title"])
def test_functions_do_nothing_but_tell(book: Book, name: str) -> None:
    with pytest.raises(ValueError, match=f"functions='{name}' will not do"):
        book.to_dict(functions=[name])
    assert Book.objects.count() == 1


def test_extra(book: Book) -> None:
    assert Book.objects.annotate(tags__count=Count("tags")).to_dict(
        includes=["title"], extra=["is_long", "author__name", "tags__count", "author__favourite__title"]
    ) == [
        {
            "title": "Germinal",
            "is_long": True,
            "author__name": "Zola",
            "tags__count": 2,
            "author__favourite__title": None,
        }
    ]
    with pytest.raises(ValueError, match="expected public attributes"):
        book.to_dict(extra=["_state"])


def test_raw(book: Book) -> None:
    found = book.to_dict(includes=["printed", "weight", "creation_date", "uuid"], raw=True)
    assert found == {"uuid": UUID_, "creation_date": MADE, "printed": date(1885, 3, 1), "weight": Decimal("0.4")}
    assert isinstance(found["weight"], Decimal)


@pytest.mark.parametrize("option", ["includes", "excludes", "functions", "extra"])
def test_a_name_is_no_list_of_names(book: Book, option: str) -> None:
    with pytest.raises(ValueError, match="'title' will not do: expected a list of names"):
        book.to_dict(**{option: "title"})


def test_an_unknown_option_is_an_error(book: Book) -> None:
    with pytest.raises(TypeError, match="include"):
        book.to_dict(include=["title"])


def test_what_was_prefetched_is_not_asked_for_again(book: Book, django_assert_num_queries: Any) -> None:
    Book.objects.create(title="Nana").tags.add(*book.tags.all())
    with django_assert_num_queries(2):
        rows = Book.objects.select_related("author").prefetch_related("tags").to_dict(fks=True, m2m=True)
    assert [len(row["tags"]) for row in rows] == [2, 2]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (time(10, 30), "10:30:00"),
        (timedelta(hours=1), "P0DT01H00M00S"),
        ({1: Decimal("1E+2"), "a": (1, {MADE.date()})}, {"1": "100", "a": [1, ["2026-06-01"]]}),
        (b"\x01\xff", "01ff"),
        pytest.param(memoryview(b"\x01"), "01", id="memoryview"),
        (3 + 4j, "(3+4j)"),
    ],
    ids=str,
)
def test_every_value_is_one_that_json_knows(value: Any, found: Any) -> None:
    assert plain(value) == found


def test_a_model_as_a_value_is_its_key(book: Book) -> None:
    assert plain([book]) == [book.pk]
