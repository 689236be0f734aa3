"""Decimals without an exponent."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.template import Context, Template

from storage.entities.fields import PlainDecimal, decimal_to_str
from tests.storage.entities.library.models import Book

TEXTS = [
    ("0.00001", "0.00001"), ("0.0000001", "0.0000001"), ("1E-8", "0.00000001"), ("1E+2", "100"), ("0E-8", "0"),
    ("0.19520", "0.1952"), ("100", "100"), ("-0.0", "0"), ("-1.50", "-1.5"), ("NaN", "NaN"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "text"), TEXTS)
def test_a_decimal_is_written_as_people_write_it(given: str, text: str) -> None:
    assert (decimal_to_str(Decimal(given)), str(PlainDecimal(given)), f"{PlainDecimal(given)}") == (text, text, text)


@pytest.mark.django_db
def test_a_tiny_price_is_plain_everywhere() -> None:
    Book.objects.create(title="a", weight=Decimal("0.0000001"))
    book = Book.objects.get()
    assert (book.weight, str(book.weight)) == (Decimal("0.0000001"), "0.0000001")
    assert json.dumps(book.weight, cls=DjangoJSONEncoder) == '"0.0000001"'
    form = forms.modelform_factory(Book, fields=["weight"])(instance=book)
    assert 'value="0.0000001"' in str(form["weight"])
    assert Template("{% load l10n %}{{ book.weight|unlocalize }}").render(Context({"book": book})) == "0.0000001"
    assert [row.data.count("0.0000001") for row in map(book.serialize, ("json", "xml", "yaml"))] == [1, 1, 1]
    assert book.to_dict(includes=["weight"]) == {"weight": "0.0000001"}


@pytest.mark.django_db
def test_it_is_a_number_like_any_other() -> None:
    book = Book.objects.create(title="a", weight="0.5")
    book.refresh_from_db()
    assert book.weight is not None
    assert book.weight + 1 == Decimal("1.5")
    assert Book.objects.filter(weight__gt=PlainDecimal("0.4"), weight__lt=book.weight + 1).get() == book
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s", [PlainDecimal("0.25")])
        assert Decimal(cursor.fetchone()[0]) == Decimal("0.25")


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValidationError):
        Book._meta.get_field("weight").to_python("much")
