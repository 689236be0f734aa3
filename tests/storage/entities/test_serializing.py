"""Entities as text, and back."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from storage.entities.serializing import deserialize
from tests.storage.entities.library.models import Author, Book, Fee, Tag

pytestmark = pytest.mark.django_db

FORMATS = ["json", "jsonl", "xml", "yaml", "python"]


def library() -> list[Book]:
    author, tag = Author.objects.create(name="Zola"), Tag.objects.create(word="t")
    books = [
        Book.objects.create(title="Germinal", author=author, weight=Decimal("0.0000001"), printed=date(1885, 3, 1)),
        Book.objects.create(title="<&> “Œuvre”", weight=None),
    ]
    books[0].tags.add(tag)
    return books


def stored() -> list[dict[str, Any]]:
    return [book.to_dict(m2m=True, depth=0, uids=True) for book in Book.objects.order_by("pk")]


@pytest.mark.parametrize("format_", FORMATS)
def test_what_is_written_reads_back_the_same(format_: str) -> None:
    library()
    before = stored()
    text = Book.objects.order_by("pk").serialize(format_)
    Book.objects.all().delete()
    for found in text.deserialize():
        found.save()
    assert stored() == before


@pytest.mark.parametrize("format_", FORMATS)
def test_one_entity_is_written_like_many(format_: str) -> None:
    book = library()[0]
    (found,) = deserialize(book.serialize(format_).data, format_)
    assert (type(found.object), found.object.pk, found.object.title) == (Book, book.pk, "Germinal")


def test_the_result_says_what_it_is() -> None:
    library()
    shown = [
        repr(found)
        for found in (
            Book.objects.all().serialize("xml"),
            Author.objects.get().serialize(),
            Fee.objects.all().serialize("yaml"),
        )
    ]
    assert shown == [
        "<Serialized xml: 2 x library.book>", "<Serialized json: 1 x library.author>", "<Serialized yaml: 0 x nothing>",
    ]  # fmt: skip


def test_the_text_is_the_text() -> None:
    book = library()[0]
    text = book.serialize("json", fields=["title", "weight"])
    assert json.loads(str(text)) == [
        {"model": "library.book", "pk": book.pk, "fields": {"title": "Germinal", "weight": "0.0000001"}}
    ]


def test_a_deserialized_object_is_a_change_or_a_backup_as_it_is_saved() -> None:
    book = library()[0]
    before = book.history.count()
    (found,) = book.serialize().deserialize()
    found.object.title = "other"
    found.object.save()
    assert book.history.count() == before + 1
    found.save()
    assert book.history.count() == before + 1
