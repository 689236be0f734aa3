"""Forms that sign."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.forms import modelform_factory, modelformset_factory

from storage.entities.forms import SignedForm
from tests.storage.entities.library.models import Author, Book, Fee, Tag

pytestmark = pytest.mark.django_db

AuthorForm: Any = modelform_factory(Author, form=SignedForm, fields=["name"])
BookForm: Any = modelform_factory(Book, form=SignedForm, fields=["title", "pages", "cover", "tags"])
FeeForm: Any = modelform_factory(Fee, form=SignedForm, fields=["kind", "amount", "start_date", "end_date"])


def signed(entity: Any) -> list[tuple[Any, Any]]:
    return list(entity.history.order_by("history_id").values_list("history_user__username", "history_change_reason"))


def test_the_user_and_the_reason_of_the_form_are_in_history(ann: User, bob: User) -> None:
    form = AuthorForm({"name": "Zola", "change_reason": "new"}, user=ann)
    assert form.is_valid()
    author = form.save()
    again = AuthorForm({"name": "Emile Zola"}, instance=author, user=bob, reason="by the import")
    again.save()
    assert signed(author) == [("ann", "new"), ("bob", "by the import")]
    assert Author.objects.get().current_user == bob


def test_links_are_signed_also_when_the_caller_saves_them(ann: User) -> None:
    given = {"title": "Nana", "pages": 1, "cover": "s", "tags": [Tag.objects.create(word="t").pk]}
    whole = BookForm(given, user=ann, reason="r").save()
    parts = BookForm(given, user=ann, reason="r")
    book = parts.save(commit=False)
    book.save(_current_user=ann, _reason="r")
    parts.save_m2m()
    assert signed(whole) == signed(book) == [("ann", "r")] * 2
    assert book.tags.count() == 1


def test_a_form_shows_the_reason_as_a_field() -> None:
    form = AuthorForm(reason="because")
    assert 'name="change_reason" value="because"' in str(form["change_reason"])


def test_a_form_says_what_save_would_refuse(ann: User) -> None:
    fee = Fee.objects.create(kind="adult", amount=1, start_date="2026-05-01T00:00:00Z")
    data = {"kind": "adult", "amount": 2, "start_date": "2026-05-01 02:00", "end_date": "2026-06-01 00:00"}
    form = FeeForm(data, instance=Fee.objects.get(), user=ann)
    assert form.errors == {
        "__all__": ["A version that ends only takes its end: change the version that follows it, or correct this one."]
    }
    added = FeeForm({"kind": "adult", "amount": 2, "start_date": "2026-05-05 00:00"}, user=ann)
    assert added.errors == {"__all__": ["Another version of the same series holds in that time."]}
    assert fee.history.count() == 1


def test_a_form_makes_a_version(ann: User) -> None:
    Fee.objects.create(kind="adult", amount=1, start_date="2026-05-01T00:00:00Z")
    form = FeeForm(
        {"kind": "adult", "amount": 2, "start_date": "2026-06-01 00:00"}, instance=Fee.objects.get(), user=ann
    )
    made = form.save()
    told: list[Any] = [(fee.amount, fee.end_date) for fee in Fee.objects.order_by("start_date")]
    assert told == [(1, made.start_date), (2, None)]


def test_a_set_of_forms_signs_each(ann: User) -> None:
    formset: Any = modelformset_factory(Author, form=SignedForm, fields=["name"], extra=2)
    data = {"form-TOTAL_FORMS": 2, "form-INITIAL_FORMS": 0, "form-0-name": "Zola", "form-1-name": "Hugo"}
    forms = formset(data, form_kwargs={"user": ann, "reason": "import"})
    assert [signed(author) for author in forms.save()] == [[("ann", "import")]] * 2
