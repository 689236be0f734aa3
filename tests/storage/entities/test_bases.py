"""What every entity has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from simple_history.middleware import HistoryRequestMiddleware

from storage.entities.models import acting
from tests.storage.entities.library.models import Author, Fee, Light, Tag

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("made", [{"word": "x"}, {"name": "x"}, {"kind": "x", "amount": 1}], ids=str)
def test_each_kind_is_dated_signed_and_has_a_uuid(made: dict[str, Any], ann: User) -> None:
    model: Any = {"word": Tag, "name": Author, "kind": Fee}[next(iter(made))]
    before = datetime.now(UTC)
    row = model(**made)
    row.save(_current_user=ann)
    row = model.objects.get()
    assert before <= row.creation_date <= row.modification_date <= datetime.now(UTC)
    assert row.current_user == ann
    assert isinstance(row.uuid, UUID)
    assert row.uuid != model(**made).uuid


def test_a_change_keeps_the_creation_and_moves_the_modification(ann: User, bob: User) -> None:
    tag = Tag(word="a")
    tag.save(_current_user=ann)
    created, changed = tag.creation_date, tag.modification_date
    tag.word = "b"
    tag.save(update_fields=["word"], _current_user=bob)
    tag.refresh_from_db()
    assert (tag.word, tag.creation_date, tag.current_user) == ("b", created, bob)
    assert tag.modification_date > changed


def test_the_user_of_the_request_signs(ann: User) -> None:
    def view(request: HttpRequest) -> HttpResponse:
        Author.objects.create(name="Zola")
        return HttpResponse()

    request = RequestFactory().get("/")
    request.user = ann  # by session or by token: whoever authenticates sets it
    HistoryRequestMiddleware(view)(request)
    author = Author.objects.get()
    assert (author.current_user, author.history.get().history_user) == (ann, ann)


def test_after_the_request_nobody_signs(ann: User) -> None:
    test_the_user_of_the_request_signs(ann)
    other = Author.objects.create(name="Hugo")
    assert (other.current_user, other.history.get().history_user) == (None, None)


def test_the_inner_of_two_users_signs_and_the_outer_again_after_it(ann: User, bob: User) -> None:
    with acting(ann, "spring cleaning"):
        with acting(bob):
            inner = Author.objects.create(name="inner")
        outer = Author.objects.create(name="outer")
    signed = [(a.history.get().history_user, a.history.get().history_change_reason) for a in (inner, outer)]
    assert signed == [(bob, "spring cleaning"), (ann, "spring cleaning")]


def test_an_update_of_many_is_dated_and_signed(ann: User) -> None:
    tag = Tag.objects.create(word="a")
    with acting(ann):
        assert Tag.objects.update(word="b") == 1
    again = Tag.objects.get()
    assert (again.word, again.current_user) == ("b", ann)
    assert again.modification_date > tag.modification_date


def test_a_common_model_has_no_history_and_is_otherwise_whole() -> None:
    light = Light.objects.create(title="t")
    light.set_metadata("k", 1)
    assert not hasattr(light, "history")
    assert light.to_dict(metadata=True, excludes=["creation_date", "modification_date"]) == {
        "id": light.pk, "current_user": None, "title": "t", "pages": 100, "metadata": {"k": 1},
    }  # fmt: skip


def test_the_type_of_a_model_is_asked_of_the_database_once(django_assert_num_queries: Any) -> None:
    ContentType.objects.clear_cache()
    author = Author(name="x")
    with django_assert_num_queries(1):
        first = Author.get_model_type()
    with django_assert_num_queries(0):
        assert Author.get_model_type() is first
        assert author.model_type is first
    assert first.model_class() is Author
