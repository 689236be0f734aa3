"""Tokens are made, shown once and revoked."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from storage.tokens.authentication import find_token
from storage.tokens.models import Token
from tests.storage.tokens.conftest import program

pytestmark = pytest.mark.django_db
ADD = "/admin/tokens/token/add/"


def logged_in(user: User) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


@pytest.fixture
def staff(db: None) -> User:
    user = User.objects.create(username="staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_token"))
    return user


def test_a_token_is_shown_once_and_works(owner: User) -> None:
    browser = logged_in(owner)
    answer = browser.post(ADD, {"user": owner.pk, "name": "Grafana", "scopes": ["live", "history"]})
    shown = re.search(r'<code id="token">(\S+)</code>', answer.content.decode())
    assert shown is not None
    token = Token.objects.get()
    request = program(shown[1]).get("/").wsgi_request
    assert (find_token(request), token.user, token.scopes) == (token, owner, ["live", "history"])
    assert "no-store" in answer["Cache-Control"]
    for path in ("/admin/tokens/token/", f"/admin/tokens/token/{token.pk}/change/", "/"):
        page = browser.get(path).content.decode()
        assert (shown[1] in page, token.digest in page) == (False, False)


def test_a_token_is_revoked_from_the_list(owner: User) -> None:
    token, _ = Token.issue(owner, "Grafana", ["live"])
    logged_in(owner).post("/admin/tokens/token/", {"action": "revoke", "_selected_action": [token.pk]})
    token.refresh_from_db()
    assert token.revoked is not None


def test_nobody_makes_or_sees_tokens_of_others_unless_he_may_do_everything(owner: User, staff: User) -> None:
    Token.issue(owner, "the owner's", ["admin"])
    browser = logged_in(staff)
    browser.post(ADD, {"user": owner.pk, "name": "mine", "scopes": ["admin"]})
    assert Token.objects.get(name="mine").user == staff
    page = browser.get("/admin/tokens/token/").content.decode()
    assert ("mine" in page, "the owner" in page) == (True, False)


def test_a_token_is_not_changed_afterwards(owner: User) -> None:
    token, _ = Token.issue(owner, "Grafana", ["live"])
    path = f"/admin/tokens/token/{token.pk}/change/"
    answer = logged_in(owner).post(path, {"name": "Grafana", "scopes": ["admin"], "user": owner.pk})
    token.refresh_from_db()
    assert (answer.status_code, token.scopes) == (403, ["live"])


def test_a_token_without_a_scope_is_not_made(owner: User) -> None:
    logged_in(owner).post(ADD, {"user": owner.pk, "name": "Grafana"})
    assert not Token.objects.exists()


# --- the command -------------------------------------------------------------------------------------


def test_the_command_prints_the_token_alone(owner: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("create_token", "owner", "Grafana", "--scope", "live", "--scope", "history", "--days", "30")
    text = capsys.readouterr().out.strip()
    token = Token.objects.get()
    assert find_token(program(text).get("/").wsgi_request) == token
    assert token.expires is not None
    assert (token.name, token.scopes, round((token.expires - token.created) / timedelta(days=1))) == (
        "Grafana", ["live", "history"], 30,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nobody", "x"], "There is no active account 'nobody'"), (["owner", "x", "--days", "0"], "--days 0 will not do")],
)
def test_what_the_command_cannot_do_is_said(owner: User, arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("create_token", *arguments, "--scope", "live")
