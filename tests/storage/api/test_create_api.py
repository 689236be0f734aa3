"""Any model in three lines; what a resource says more; what would be a mistake is refused at the start."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.permissions import IsAdminUser
from rest_framework.test import APIClient

from storage.api.kinds import kind_of
from storage.api.resource import Resource, ResourceError
from storage.api.router import create_api
from tests.storage.api.library_urls import api, shelf
from tests.storage.entities.library.models import Author, Book, Edition, Fee, Loan, Note, Tag

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.storage.api.library_urls")]


def test_three_lines_expose_a_model(owner: APIClient) -> None:
    made = owner.post("/three/author/", {"name": "Zola"})
    assert made.status_code == 201
    author = Author.objects.get()
    assert made.json() == {
        "id": author.pk,
        "uuid": str(author.uuid),
        "creation_date": made.json()["creation_date"],
        "modification_date": made.json()["modification_date"],
        "current_user": User.objects.get().pk,
        "name": "Zola",
        "favourite": None,
    }
    assert owner.get("/three/author/?name__startswith=Z&fields=name").json()["results"] == [{"name": "Zola"}]
    assert owner.patch(f"/three/author/{author.pk}/", {"name": "Émile Zola"}).json()["name"] == "Émile Zola"
    assert len(owner.get(f"/three/author/{author.pk}/history/").json()) == 2
    assert owner.get("/three/").json().keys() == {"author", "fee", "opening", "plain"}
    assert set(api.resources) == {resource.model for resource in api.resources.values()}


def test_relations_are_nested_read_as_objects_and_written_as_keys(owner: APIClient) -> None:
    hugo, zola = Author.objects.create(name="Hugo"), Author.objects.create(name="Zola")
    tag = Tag.objects.create(word="old")
    made = owner.post("/shelf/books/", {"title": "Nana", "author": zola.pk, "tags": [tag.pk], "pages": 7})
    book = made.json()
    assert (book["author"]["name"], book["tags"], book["pages"]) == ("Zola", [tag.pk], 100)  # `pages` is fixed
    book["author"] = owner.get(f"/shelf/author/{hugo.pk}/").json()  # an object is taken as its key
    assert owner.put(f"/shelf/books/{book['id']}/", book).json()["author"]["name"] == "Hugo"
    assert owner.patch(f"/shelf/books/{book['id']}/", {"author": None}).json()["author"] is None
    for nonsense in ("{}", '{"id": null}', "[]", '"x"', "1e400", "true", "9" * 30, '{"id": {"id": 1}}', "NaN"):
        body = f'{{"author": {nonsense}}}'
        refused = owner.patch(f"/shelf/books/{book['id']}/", body, content_type="application/json")
        assert refused.status_code == 400, nonsense
    assert Book.objects.get().author is None


def test_what_is_nested_is_shown_to_those_who_may_see_it(viewer: APIClient) -> None:
    Book.objects.create(title="Nana", author=Author.objects.create(name="Zola"))
    assert viewer.get("/shelf/books/").json()["results"][0]["author"]["name"] == "Zola"
    user = User.objects.get()
    user.user_permissions.remove(user.user_permissions.get(codename="view_author"))
    assert viewer.get("/shelf/books/").json()["results"][0]["author"] == Author.objects.get().pk
    assert viewer.get("/shelf/books/?author.name=Zola").status_code == 400


def test_a_resource_may_bring_its_own_rows_and_permissions(rf: Any) -> None:
    few = create_api(
        Resource(Book, queryset=lambda: Book.objects.filter(pages__gt=300), permissions=(IsAdminUser,))
    ).viewsets[Book]
    Book.objects.create(title="short")
    thick = Book.objects.create(title="long", pages=500)
    request = rf.get("/")
    request.user = User.objects.create(username="admin", is_superuser=True, is_staff=True)
    request._dont_enforce_csrf_checks = True
    found = few.as_view({"get": "list"})(request)
    assert [row["id"] for row in found.data["results"]] == [thick.pk]
    short = Book.objects.get(title="short")
    for book, status in ((thick, 200), (short, 404)):  # neither is the past of what is not among them
        assert few.as_view({"get": "history"})(request, pk=str(book.pk)).status_code == status
        assert few.as_view({"get": "retrieve"})(request, pk=str(book.pk)).status_code == status
    request.user = User.objects.create(username="other", is_superuser=True)
    assert few.as_view({"get": "list"})(request).status_code == 403


def test_secrets_are_never_shown_and_cannot_be_named() -> None:
    assert "password" not in create_api(User).resources[User].fields
    with pytest.raises(ResourceError, match="is a secret"):
        Resource(User, fields=("username", "password"))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Resource(Book, fields=("titel",)), "has no field titel"),
        (lambda: Resource(Book, related=("pages",)), "cannot be followed"),
        (lambda: Resource(Book, related=("tags",)), "cannot be followed"),
        (lambda: Resource(Book, nested=("author",)), "is nested and not related"),
        (lambda: create_api(Resource(Book, related=("author",))), "not in this API"),
        (lambda: create_api(Book, Book), "given twice"),
        (lambda: create_api(Resource(Book, "x"), Resource(Author, "x")), "given twice"),
    ],
)
def test_a_mistake_is_told_at_the_start(make: Any, said: str) -> None:
    with pytest.raises(ResourceError, match=said):
        make()


def test_light_models_have_no_history_and_keys_of_any_kind(owner: APIClient) -> None:
    light = create_api(Note, Tag)
    assert not hasattr(light.viewsets[Note], "history")
    assert kind_of(Note._meta.pk).value == "key"
    assert {resource.name for resource in shelf.resources.values()} == {"author", "books", "editions", "loans"}


def test_what_holds_a_row_fast_is_said(owner: APIClient) -> None:
    edition = Edition.objects.create(book=Book.objects.create(title="Nana"), number=1)
    Loan.objects.create(edition=edition)
    refused = owner.delete(f"/shelf/editions/{edition.pk}/")
    assert (refused.status_code, refused.json()["blocked"]) == (409, ["library.loan"])
    told = owner.get(f"/shelf/editions/{edition.pk}/deletion/").json()
    assert told["blocked"] == [{"model": "library.loan", "count": 1, "names": [f"loan of {edition}"]}]
    assert Edition.objects.count() == 1


def test_a_perishable_entity_is_revised_closed_corrected_and_deleted(owner: APIClient) -> None:
    old = owner.post("/three/fee/", {"kind": "child", "amount": "1", "start_date": "2026-01-01T00:00:00Z"}).json()
    new = owner.patch(f"/three/fee/{old['id']}/", {"amount": "2"}).json()
    assert (new["id"] != old["id"], new["amount"]) == (True, "2")
    assert Fee.objects.get(pk=old["id"]).end_date == Fee.objects.get(pk=new["id"]).start_date
    assert owner.patch(f"/three/fee/{old['id']}/", {"amount": "3"}).status_code == 400  # it ended
    assert owner.patch(f"/three/fee/{old['id']}/?correct=1", {"amount": "3"}).json()["id"] == old["id"]
    assert owner.get("/three/fee/?valid_date=2026-01-02&fields=amount").json()["results"] == [{"amount": "3"}]
    assert owner.get("/three/fee/?valid=1&fields=amount").json()["results"] == [{"amount": "2"}]
    assert owner.get("/three/fee/?valid=0&fields=amount").json()["results"] == [{"amount": "3"}]
    assert owner.get("/three/fee/?valid=all").json()["count"] == 2
    assert owner.delete(f"/three/fee/{new['id']}/").status_code == 204
    assert (Fee.objects.count(), owner.get("/three/fee/?valid=1").json()["count"]) == (2, 0)
    assert owner.delete(f"/three/fee/{new['id']}/?force=1").status_code == 204
    assert Fee.objects.count() == 1


def test_many_rows_take_as_many_queries_as_one(owner: APIClient) -> None:
    """Of what is nested, linked to many, and noted."""
    counts = []
    for number in range(3):
        book = Book.objects.create(title=f"{number}", author=Author.objects.create(name=f"author {number}"))
        book.tags.add(Tag.objects.create(word="a"))
        book.set_metadata("k", number)
        with CaptureQueriesContext(connection) as asked:
            rows = owner.get("/shelf/books/?meta=1&display=1").json()["results"]
        assert [(row["author"]["name"], len(row["tags"]), row["metadata"]) for row in rows] == [
            (f"author {n}", 1, {"k": n}) for n in range(number + 1)
        ]
        counts.append(len(asked))
    assert counts[1] == counts[2]
