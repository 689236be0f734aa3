"""Programs come in by a token, and do what it allows."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from storage.tokens.models import Token
from tests.storage.entities.library.models import Author
from tests.storage.tokens.conftest import issued, program

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.storage.tokens.urls")]
REFUSED = {"detail": "This token opens nothing: it is unknown, revoked or over."}


@pytest.mark.parametrize("word", ["Bearer", "bearer", "Token"])
def test_a_token_opens_what_it_is_for(owner: User, word: str) -> None:
    _, text = Token.issue(owner, "program", ["history"])
    answer = program(text, word).get("/api/authors/")
    assert (answer.status_code, answer.json()) == (200, [])


def test_of_the_secret_only_its_hash_is_kept(owner: User) -> None:
    token, text = Token.issue(owner, "program", ["history"])
    kind, prefix, secret = text.split("_", 2)
    row = Token.objects.values().get()
    assert (kind, prefix, len(secret), len(token.digest), secret in str(row)) == ("tb", token.prefix, 43, 64, False)
    assert Token.issue(owner, "other", [])[1] != text


@pytest.mark.parametrize(
    ("scopes", "seen"),
    [
        (["live"], (200, 403, 403)),
        (["history"], (403, 200, 403)),
        (["write"], (403, 403, 201)),
        (["live", "history", "write"], (200, 200, 201)),
        (["admin"], (200, 200, 201)),
        ([], (403, 403, 403)),
    ],
)
def test_a_scope_opens_its_part_and_no_other(owner: User, scopes: list[str], seen: tuple[int, ...]) -> None:
    _, client = issued(owner, *scopes)
    answers = client.get("/api/now/"), client.get("/api/authors/"), client.post("/api/authors/")
    assert tuple(answer.status_code for answer in answers) == seen


def test_an_edit_by_token_is_its_owners_in_history(owner: User) -> None:
    _, client = issued(owner, "write")
    client.post("/api/authors/")
    author = Author.objects.get()
    assert (author.history.get().history_user, author.current_user) == (owner, owner)


def test_a_revoked_token_is_a_401_at_once(owner: User) -> None:
    token, client = issued(owner, "history")
    before = client.get("/api/authors/").status_code
    Token.objects.update(revoked=timezone.now())
    answer = client.get("/api/authors/")
    assert (before, answer.status_code, answer.json(), answer["WWW-Authenticate"]) == (200, 401, REFUSED, "Bearer")
    assert token.revoked is None, "the row changed, not our copy of it"


def test_a_token_ends_when_it_says_and_with_its_owner(owner: User) -> None:
    soon, late = timezone.now() - timedelta(seconds=1), timezone.now() + timedelta(days=1)
    _, ended = issued(owner, "history", expires=soon)
    _, client = issued(owner, "history", expires=late)
    seen = [ended.get("/api/authors/").status_code, client.get("/api/authors/").status_code]
    User.objects.update(is_active=False)
    assert [*seen, client.get("/api/authors/").status_code] == [401, 200, 401]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "tb_",
        "tb__",
        "tb_{prefix}",
        "tb_{prefix}_",
        "tb_{prefix}_x",
        "xx_{prefix}_{secret}",
        "\x00",
        "tb_\x00_x",
    ],
)
def test_what_is_no_token_opens_nothing(owner: User, text: str) -> None:
    token, whole = Token.issue(owner, "program", ["admin"])
    invented = text.format(prefix=token.prefix, secret=whole.split("_", 2)[2])
    answer = program(invented).get("/api/authors/")
    assert (answer.status_code, answer.json()) == (401, REFUSED)


def test_nobody_is_let_in_without_one(db: None) -> None:
    assert [Client().get("/api/authors/").status_code, program("x", "Basic").get("/api/authors/").status_code] == [
        401,
        401,
    ]


def test_a_session_has_no_scopes(owner: User) -> None:
    client = Client()
    client.force_login(owner)
    assert (client.get("/api/now/").status_code, client.post("/api/authors/").status_code) == (200, 201)


def test_a_token_does_not_open_the_pages(owner: User) -> None:
    _, client = issued(owner, "admin")
    assert [client.get(path).status_code for path in ("/", "/admin/")] == [302, 302]


def test_a_use_is_noted_once_a_minute(owner: User) -> None:
    token, client = issued(owner, "history")
    client.get("/api/authors/")
    token.refresh_from_db()
    first = token.last_used
    with CaptureQueriesContext(connection) as asked:
        client.get("/api/authors/")
    token.refresh_from_db()
    assert first is not None
    assert (token.last_used, [query["sql"] for query in asked if "UPDATE" in query["sql"]]) == (first, [])
    token.note_use(first + timedelta(seconds=61))
    token.refresh_from_db()
    assert token.last_used == first + timedelta(seconds=61)


def test_a_token_is_looked_up_by_one_question(owner: User) -> None:
    _, client = issued(owner, "history")
    client.get("/api/authors/")
    with CaptureQueriesContext(connection) as asked:
        client.get("/api/authors/")
    assert [("tokens_token" in query["sql"]) for query in asked] == [True, False]  # and the authors


# --- the stream of live values -----------------------------------------------------------------------


@pytest.mark.parametrize(("scopes", "status"), [(["live"], 503), (["admin"], 503), (["history"], 403), ([], 403)])
def test_the_stream_is_opened_by_the_scope_for_it(owner: User, scopes: list[str], status: int) -> None:
    """503: it was let in, to a server without live values."""
    _, client = issued(owner, *scopes)
    assert client.get("/live/").status_code == status


def test_the_stream_refuses_what_opens_nothing_and_sends_others_to_the_login(owner: User) -> None:
    browser = Client()
    browser.force_login(owner)
    answers = program("x").get("/live/"), Client().get("/live/?meter=1"), browser.get("/live/")
    assert [answer.status_code for answer in answers] == [401, 302, 503]
    assert answers[1]["Location"] == "/login/?next=/live/%3Fmeter%3D1"
