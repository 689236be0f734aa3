"""Calls are counted, and refused beyond their limit before anything happens."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from storage.tokens.models import Token
from storage.usage import tally as module
from storage.usage.models import Usage
from tests.storage.entities.library.models import Author
from tests.storage.tokens.conftest import issued, program

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.storage.tokens.urls")]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing waits to be written."""
    monkeypatch.setattr(module, "EVERY", timedelta(0))


def counts() -> dict[tuple[str, str], int]:
    return {(row.caller.partition(":")[0], row.route): row.calls for row in Usage.objects.all()}


def logged_in(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


@pytest.mark.usefixtures("at_once")
def test_calls_are_counted_for_each_user_and_token_and_route(owner: User) -> None:
    token, client = issued(owner, "admin")
    browser = logged_in(owner)
    for _ in range(3):
        client.get("/api/authors/")
    client.post("/api/authors/")
    client.get("/api/now/")
    browser.get("/api/authors/")
    browser.get("/")
    assert counts() == {("token", "authors"): 4, ("token", "api-now"): 1, ("user", "authors"): 1, ("user", "now"): 1}
    row = Usage.objects.get(token=token, route="authors")
    assert (row.user, row.address, row.last is not None) == (None, "127.0.0.1", True)


@pytest.mark.usefixtures("at_once")
def test_who_is_not_let_in_is_not_counted(owner: User) -> None:
    for client in (Client(), program("x")):
        client.get("/api/authors/")
        client.get("/")
    assert counts() == {}


@pytest.mark.usefixtures("at_once")
def test_what_has_no_route_is_not_counted(owner: User) -> None:
    logged_in(owner).get("/nothing/here/")
    assert counts() == {}


def test_a_call_beyond_the_limit_has_no_effect_and_is_refused_until_the_reset(owner: User) -> None:
    token, client = issued(owner, "admin")
    Usage.objects.create(token=token, route="authors", limit=1, reset="day")
    assert [client.post("/api/authors/").status_code, Author.objects.count()] == [201, 1]
    Author.objects.all().delete()
    answer = client.post("/api/authors/")
    assert (answer.status_code, answer.json(), Author.objects.count()) == (
        429, {"detail": "Too many calls: the limit is reached."}, 0,
    )  # fmt: skip
    assert 0 < int(answer["Retry-After"]) <= 86_400
    assert [client.get("/api/now/").status_code, logged_in(owner).get("/api/authors/").status_code] == [200, 200]
    Usage.objects.update(resets=timezone.now())
    assert client.post("/api/authors/").status_code == 201


def test_a_limit_for_ever_names_no_time(owner: User) -> None:
    token, client = issued(owner, "admin")
    Usage.objects.create(token=token, route="authors", limit=1, reset="never")
    answers = client.get("/api/authors/"), client.get("/api/authors/")
    assert [(answer.status_code, answer.has_header("Retry-After")) for answer in answers] == [
        (200, False),
        (429, False),
    ]


def test_a_limit_holds_for_asynchronous_views_too(owner: User) -> None:
    token, client = issued(owner, "live")
    Usage.objects.create(token=token, route="live", limit=1, reset="day")
    assert [client.get("/live/").status_code for _ in range(2)] == [503, 429]  # 503: let in, without live values


@pytest.mark.postgresql  # on SQLite: test_parallel
@pytest.mark.django_db(transaction=True)
def test_of_twenty_calls_at_once_exactly_as_many_as_the_limit_have_an_effect(owner: User) -> None:
    token, text = Token.issue(owner, "program", ["admin"])
    Usage.objects.create(token=token, route="authors", limit=5)
    Author.objects.create(name="first")

    def one(n: int) -> int:
        try:
            return program(text).put("/api/authors/", {"name": f"Author {n}"}, "application/json").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        statuses = list(threads.map(one, range(20)))
    assert (sorted(statuses), Author.objects.count()) == ([201] * 5 + [429] * 15, 6)
    assert Usage.objects.get().calls == 5


# --- counted in memory -------------------------------------------------------------------------------


def test_a_read_costs_no_write(owner: User) -> None:
    _, client = issued(owner, "history")
    client.get("/api/authors/")  # the first call is written at once
    with CaptureQueriesContext(connection) as asked:
        for _ in range(5):
            client.get("/api/authors/")
    assert {query["sql"].split()[0] for query in asked} == {"SELECT"}
    assert counts() == {("token", "authors"): 1}


def test_what_was_counted_in_memory_is_written_with_the_next_call_after_a_while(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = issued(owner, "history")
    for _ in range(6):
        client.get("/api/authors/")
    monkeypatch.setattr(module, "EVERY", timedelta(0))
    client.get("/api/authors/")
    assert counts() == {("token", "authors"): 7}


def test_calls_of_who_was_deleted_meanwhile_take_no_others_along(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    _, client = issued(owner, "history")
    gone, other = issued(owner, "history")
    client.get("/api/authors/")
    other.get("/api/authors/")
    client.get("/api/authors/")
    Token.objects.filter(pk=gone.pk).delete()
    monkeypatch.setattr(module, "EVERY", timedelta(0))
    client.get("/api/authors/")
    assert counts() == {("token", "authors"): 3}


def test_calls_that_cannot_be_written_just_now_are_written_later(
    owner: User, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def locked(*_: Any) -> None:
        raise OperationalError("database is locked")

    _, client = issued(owner, "history")
    monkeypatch.setattr(module, "EVERY", timedelta(0))
    with monkeypatch.context() as patch:
        patch.setattr(module, "_write", locked)
        assert [client.get("/api/authors/").status_code for _ in range(2)] == [200, 200]
    client.get("/api/authors/")
    assert (counts(), "Calls could not be written (database is locked)" in caplog.text) == (
        {("token", "authors"): 3},
        True,
    )


# --- the settings ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("at_once")
def test_by_default_nothing_is_counted_and_no_limit_holds(owner: User, counting: Any) -> None:
    from storage import settings as ours  # noqa: PLC0415  what the program itself begins with

    counting.SERVICE_USAGE = ours.SERVICE_USAGE
    token, client = issued(owner, "history")
    Usage.objects.create(token=token, route="authors", limit=1)
    assert [client.get("/api/authors/").status_code for _ in range(2)] == [200, 200]
    assert (ours.SERVICE_USAGE, ours.SERVICE_USAGE_LOG_DATA, ours.SERVICE_USAGE_LIMIT_ONLY, counts()) == (
        False, False, False, {("token", "authors"): 0},
    )  # fmt: skip


@pytest.mark.usefixtures("at_once")
def test_limit_only_counts_what_has_a_limit(owner: User, counting: Any) -> None:
    counting.SERVICE_USAGE_LIMIT_ONLY = True
    token, client = issued(owner, "admin")
    Usage.objects.create(token=token, route="authors", limit=5)
    client.get("/api/authors/")
    client.get("/api/now/")
    assert counts() == {("token", "authors"): 1}


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("limit", [None, 5])
def test_log_data_notes_names_and_never_a_value(owner: User, counting: Any, limit: int | None) -> None:
    counting.SERVICE_USAGE_LOG_DATA = True
    token, text = Token.issue(owner, "program", ["admin"])
    Usage.objects.create(token=token, route="authors", limit=limit)
    client = program(text)
    client.get("/api/authors/", {"meter": "042176000001", "password": "s3cret", text: "1", "<b>": "x"})
    client.post("/api/authors/?meter=1", {"password": "s3cret"})
    row = Usage.objects.get()
    assert (row.calls, row.data) == (2, {"meter": 2, "password": 2})
    everything = str(list(Usage.objects.values()))
    assert [secret in everything for secret in ("s3cret", text, text.split("_", 2)[2])] == [False] * 3


@pytest.mark.usefixtures("at_once")
def test_names_have_a_bound(owner: User, counting: Any) -> None:
    counting.SERVICE_USAGE_LOG_DATA = True
    _, client = issued(owner, "history")
    client.get("/api/authors/", {f"n{n:03}": "1" for n in range(200)})
    client.get("/api/authors/", {"n000": "1", "zzz": "1"})
    data = Usage.objects.get().data
    assert (len(data), data["n000"], "zzz" in data) == (50, 2, False)
