"""The administration, through a browser's eyes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import include, path
from django.utils import timezone

from storage.entities.admin import (
    CommonAdmin,
    EntityAdmin,
    EntityStackedInline,
    EntityTabularInline,
    PerishableEntityAdmin,
    create_admin,
)
from tests.storage.entities.library.models import Author, Book, Edition, Fee, Opening, Plain, Tag

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.storage.entities.test_admin")]

site = admin.AdminSite("library_admin")


class EditionInline(EntityTabularInline):
    model = Edition


class BookInline(EntityStackedInline):
    model = Book
    fields = ("title", "pages")


create_admin(Tag, Fee, Opening, Plain, site=site)
create_admin(Book, site=site, inlines=[EditionInline])
create_admin(Author, site=site, inlines=[BookInline])
urlpatterns = [path("library/", site.urls), path("", include("storage.urls"))]  # beside the real one

MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
EMPTY_INLINES = {"edition_set-TOTAL_FORMS": 0, "edition_set-INITIAL_FORMS": 0}
BOOK = {"title": "Germinal", "pages": 500, "cover": "s", **EMPTY_INLINES}


@pytest.fixture(autouse=True)
def english_pages(settings: Any) -> None:
    settings.LANGUAGE_CODE = "en"


@pytest.fixture
def client(client: Client, ann: User) -> Client:
    """Logged in as ann, who may do everything."""
    ann.is_staff = ann.is_superuser = True
    ann.save()
    client.force_login(ann)
    return client


@pytest.fixture
def viewer(bob: User) -> Client:
    """Logged in as bob, who may only look."""
    bob.is_staff = True
    bob.save()
    bob.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    looking = Client()
    looking.force_login(bob)
    return looking


def text(client: Client, page: str, **query: str) -> str:
    response = client.get(page, query)
    assert response.status_code == 200, page
    return response.content.decode()


def signed(entity: Any) -> list[tuple[Any, ...]]:
    rows = entity.history.order_by("history_id")
    return list(rows.values_list("history_type", "history_user__username", "history_change_reason"))


def test_each_kind_of_model_gets_the_class_that_fits() -> None:
    kinds = {model.__name__: type(found).__mro__[1] for model, found in site._registry.items()}
    assert kinds == {
        "Tag": CommonAdmin, "Plain": admin.ModelAdmin, "Book": EntityAdmin, "Author": EntityAdmin,
        "Fee": PerishableEntityAdmin, "Opening": PerishableEntityAdmin,
    }  # fmt: skip


def test_every_model_can_be_reached(client: Client) -> None:
    index = text(client, "/library/")
    for model in site._registry:
        page = f"/library/library/{model._meta.model_name}/"
        assert page in index
        text(client, page)
        text(client, f"{page}add/")


def test_who_saves_is_the_author_and_gives_a_reason(client: Client, ann: User) -> None:
    assert client.post("/library/library/book/add/", {**BOOK, "change_reason": "bought"}).status_code == 302
    book = Book.objects.get()
    page = f"/library/library/book/{book.pk}/change/"
    tag = Tag.objects.create(word="t")
    client.post(page, {**BOOK, "pages": 501, "tags": [tag.pk], "change_reason": "counted"})
    book.refresh_from_db()
    assert (book.pages, book.current_user, list(book.tags.all())) == (501, ann, [tag])
    assert signed(book) == [("+", "ann", "bought"), ("~", "ann", "counted"), ("~", "ann", "counted")]
    client.post(f"/library/library/book/{book.pk}/delete/", {"post": "yes"})
    deletion = Book.history.filter(id=book.pk).first()
    assert deletion is not None
    assert (deletion.history_type, deletion.history_user) == ("-", ann)


def test_dates_author_and_metadata_are_shown_and_not_edited(client: Client, ann: User) -> None:
    tag = Tag(word="mine")
    tag.save(_current_user=ann)
    tag.set_metadata("shelf", "<b>3</b>")
    page = text(client, f"/library/library/tag/{tag.pk}/change/")
    for name in ("creation_date", "modification_date", "current_user", "uuid", "metadata_shown"):
        assert f"field-{name}" in page
        assert f'name="{name}"' not in page
    assert "<div>shelf: &lt;b&gt;3&lt;/b&gt;</div>" in page
    assert str(tag.uuid) in page
    assert '<td class="field-current_user nowrap">ann</td>' in text(client, "/library/library/tag/")


def test_lists_are_filtered_by_date(client: Client) -> None:
    old, new = Tag.objects.create(word="ancient"), Tag.objects.create(word="recent")
    Tag.objects.filter(pk=old.pk).update(creation_date=MAY)
    page = text(client, "/library/library/tag/", creation_date__gte=(timezone.now() - timedelta(days=1)).isoformat())
    assert (str(new) in page, str(old) in page) == (True, False)


def test_validity_filters_versions(client: Client) -> None:
    Fee.objects.create(kind="adult", amount="1.11", start_date=MAY).revise(JUNE, amount="2.22")
    shown = [
        [amount for amount in ("1.11", "2.22") if f"adult: {amount}" in text(client, "/library/library/fee/", **query)]
        for query in ({}, {"valid": "1"}, {"valid": "0"})
    ]
    assert shown == [["1.11", "2.22"], ["2.22"], ["1.11"]]


def test_a_save_makes_a_version_and_a_deletion_closes_it(client: Client, ann: User) -> None:
    tag = Tag.objects.create(word="t")
    fee = Fee.objects.create(kind="adult", amount=1, start_date=MAY)
    data = {
        "kind": "adult", "amount": "2", "start_date_0": "2026-06-01", "start_date_1": "02:00:00", "end_date_0": "",
        "end_date_1": "", "tags": [tag.pk], "change_reason": "dearer",
    }  # fmt: skip
    response = client.post(f"/library/library/fee/{fee.pk}/change/", data)
    assert response.status_code == 302
    old, new = Fee.objects.order_by("start_date")
    assert [(old.amount, old.end_date), (new.amount, new.start_date, new.end_date)] == [(1, JUNE), (2, JUNE, None)]
    assert (list(new.tags.all()), list(old.tags.all()), new.current_user) == ([tag], [], ann)
    page = client.post(
        "/library/library/fee/", {"action": "delete_selected", "_selected_action": [new.pk]}
    ).content.decode()
    assert "adult: 2: ends now and is kept" in page
    client.post("/library/library/fee/", {"action": "delete_selected", "_selected_action": [new.pk], "post": "yes"})
    new.refresh_from_db()
    assert new.end_date is not None
    client.post(f"/library/library/fee/{new.pk}/delete/", {"post": "yes"})
    assert (Fee.objects.count(), signed(new)[-1][:2]) == (2, ("~", "ann"))


def test_a_mistake_is_corrected_where_it_stands_also_in_a_version_that_ended(client: Client) -> None:
    fee = Fee.objects.create(kind="adult", amount=1, start_date=MAY, end_date=JUNE)
    data = {
        "kind": "adult", "amount": "3", "start_date_0": "2026-05-01", "start_date_1": "02:00:00",
        "end_date_0": "2026-06-01", "end_date_1": "02:00:00", "change_reason": "typed wrongly",
    }  # fmt: skip
    assert client.post(f"/library/library/fee/{fee.pk}/change/", data).status_code == 200
    assert client.post(f"/library/library/fee/{fee.pk}/change/", data | {"is_correction": "on"}).status_code == 302
    row = Fee.objects.get()
    assert (row.pk, row.amount, row.start_date, row.end_date) == (fee.pk, Decimal(3), MAY, JUNE)
    assert row.history.first().history_change_reason == "typed wrongly"


def test_what_cannot_be_saved_is_said_in_the_form(client: Client) -> None:
    fee = Fee.objects.create(kind="adult", amount=1, start_date=MAY)
    data = {
        "kind": "adult", "amount": "2", "start_date_0": "2026-05-01", "start_date_1": "02:00:00",
        "end_date_0": "2026-06-01", "end_date_1": "00:00:00",
    }  # fmt: skip
    page = client.post(f"/library/library/fee/{fee.pk}/change/", data).content.decode()
    assert "A version that ends only takes its end" in page
    assert Fee.objects.get().amount == 1


def test_inlines_write_history_with_their_author(client: Client) -> None:
    book = Book.objects.create(title="Germinal", pages=500)
    edition = Edition.objects.create(book=book, number=1)
    data = {
        **BOOK, "edition_set-TOTAL_FORMS": 2, "edition_set-INITIAL_FORMS": 1, "edition_set-0-id": edition.pk,
        "edition_set-0-book": book.pk, "edition_set-0-number": 7, "edition_set-1-book": book.pk,
        "edition_set-1-number": 8, "change_reason": "recount",
    }  # fmt: skip
    assert client.post(f"/library/library/book/{book.pk}/change/", data).status_code == 302
    first, second = Edition.objects.order_by("number")
    assert signed(first) == [("+", None, None), ("~", "ann", "recount")]
    assert signed(second) == [("+", "ann", "recount")]
    page = text(client, f"/library/library/book/{book.pk}/change/")
    assert page.count('<td class="field-modification_date">') >= 2
    author = Author.objects.create(name="Zola")
    author.book_set.add(book)
    assert "field-modification_date" in text(client, f"/library/library/author/{author.pk}/change/")


# --- history and the way back --------------------------------------------------------------------


def test_history_shows_differences_and_restores(client: Client, ann: User) -> None:
    book = Book.objects.create(title="Germinal", pages=100)
    book.pages = 555
    book.save(_current_user=ann, _reason="counted")
    first = book.history.earliest()
    history = f"/library/library/book/{book.pk}/history/"
    page = text(client, history)
    assert re.search(r"<strong>Pages:</strong>\s*100\s.*&rarr;.*555", page, re.DOTALL)
    assert "counted" in page
    assert f"Restore version {first.pk}" in page
    text(client, f"{history}{first.pk}/")  # a version, looked at
    restore = f"/library/library/book/{book.pk}/restore/"
    answer = client.post(f"{restore}{first.pk}/", follow=True)
    assert "The version was restored." in answer.content.decode()
    assert f"Restored from version {first.pk}" in answer.content.decode()
    book.refresh_from_db()
    newest = book.history.first()
    assert newest is not None
    assert (book.pages, newest.history_user) == (100, ann)
    assert (
        "The restore was undone."
        in client.post(f"{restore}{newest.pk}/", {"rollback": 1}, follow=True).content.decode()
    )
    book.refresh_from_db()
    assert book.pages == 555


def test_what_is_deleted_is_listed_and_comes_back(client: Client) -> None:
    author = Author.objects.create(name="Zola")
    book = Book.objects.create(title="Germinal", author=author)
    pk = author.pk
    assert "Nothing is deleted." in text(client, "/library/library/author/deleted/")
    assert "/library/library/author/deleted/" in text(client, "/library/library/author/")
    author.delete()
    page = text(client, "/library/library/author/deleted/")
    assert "Zola" in page
    (button,) = re.findall(r'action="(/library/library/author/\d+/restore/\d+/)"', page)
    assert client.post(button, follow=True).status_code == 200
    book.refresh_from_db()
    assert (Author.objects.get().pk, book.author_id) == (pk, pk)
    assert "Nothing is deleted." in text(client, "/library/library/author/deleted/")


def test_why_a_version_cannot_be_restored_is_said(client: Client) -> None:
    author = Author.objects.create(name="Zola")
    author.name = "Emile"
    author.save()
    Author.objects.create(name="Zola")
    first = author.history.earliest()
    page = client.post(f"/library/library/author/{author.pk}/restore/{first.pk}/", follow=True).content.decode()
    assert "Author with this Name already exists." in page


def test_a_version_of_another_entity_or_of_none_is_not_found(client: Client) -> None:
    one, other = Book.objects.create(title="a"), Book.objects.create(title="b")
    for page in (
        f"{one.pk}/restore/{other.history.earliest().pk}",
        f"{one.pk}/restore/999",
        "x/restore/1",
        "x/history",
    ):
        assert client.post(f"/library/library/book/{page}/").status_code in (302, 404), page
    assert client.post(f"/library/library/book/{one.pk}/restore/{other.history.earliest().pk}/").status_code == 404
    assert client.get(f"/library/library/book/{one.pk}/restore/{one.history.earliest().pk}/").status_code == 405
    assert (one.history.count(), other.history.count()) == (1, 1)


def test_who_may_only_look_sees_everything_and_changes_nothing(viewer: Client) -> None:
    book = Book.objects.create(title="Germinal", pages=500)
    book.pages = 501
    book.save()
    fee = Fee.objects.create(kind="adult", amount=1, start_date=MAY)
    author = Author.objects.create(name="Zola")
    gone = author.pk
    author.delete()
    first = book.history.earliest()
    page = text(viewer, f"/library/library/book/{book.pk}/change/")
    assert 'name="title"' not in page
    assert (
        "<form method"
        not in text(viewer, f"/library/library/book/{book.pk}/history/").partition('id="content-main"')[2]
    )
    assert "<form method" not in text(viewer, "/library/library/author/deleted/").partition('id="content-main"')[2]
    deletion = Author.history.filter(id=gone).first()
    assert deletion is not None
    refused = {
        f"book/{book.pk}/change/": 403, "book/add/": 403, f"book/{book.pk}/delete/": 403,
        f"book/{book.pk}/restore/{first.pk}/": 403, f"author/{gone}/restore/{deletion.pk}/": 403,
        f"fee/{fee.pk}/delete/": 403, f"book/{book.pk}/history/{first.pk}/": 405,
    }  # fmt: skip
    data = {**BOOK, "title": "mine", "post": "yes"}
    assert {page: viewer.post(f"/library/library/{page}", data).status_code for page in refused} == refused
    book.refresh_from_db()
    fee.refresh_from_db()
    assert (book.title, book.pages, book.history.count(), fee.end_date, Author.objects.count()) == (
        "Germinal", 501, 2, None, 0,
    )  # fmt: skip


def test_who_may_not_look_sees_nothing(bob: User, client: Client) -> None:
    book = Book.objects.create(title="Germinal")
    bob.is_staff = True
    bob.save()
    stranger = Client()
    stranger.force_login(bob)
    pages = ["", "deleted/", f"{book.pk}/history/", f"{book.pk}/history/{book.history.earliest().pk}/"]
    assert [stranger.get(f"/library/library/book/{page}").status_code for page in pages] == [403] * 4
