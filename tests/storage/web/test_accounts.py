"""Ways in."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from storage.web import accounts
from storage.web.accounts import START_LIFE, FirstAccountForm, login_link, start_link

pytestmark = pytest.mark.django_db
NEW = {"username": "anne", "password1": "correct horse battery", "password2": "correct horse battery"}


@pytest.fixture
def client() -> Client:
    return Client(headers={"accept-language": "en"})


def the_start_link() -> str:
    link = start_link()
    assert link is not None
    return link


def later(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    at = timezone.now() + by
    monkeypatch.setattr("django.core.signing.time.time", at.timestamp)


def test_the_first_account_may_do_everything_and_is_logged_in(client: Client) -> None:
    answer = client.post(the_start_link(), NEW, follow=True)
    user = User.objects.get()
    assert (answer.redirect_chain, user.username, user.is_staff, user.is_superuser) == (
        [("/", 302)], "anne", True, True,
    )  # fmt: skip
    assert client.session["_auth_user_id"] == str(user.pk)


def test_the_start_link_works_once(client: Client) -> None:
    link = the_start_link()
    client.post(link, NEW)
    answer = client.post(link, {**NEW, "username": "eve"})
    assert (answer.status_code, [u.username for u in User.objects.all()], start_link()) == (410, ["anne"], None)


def test_the_start_link_lives_a_quarter_of_an_hour(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    link = the_start_link()
    later(monkeypatch, START_LIFE - timedelta(seconds=5))
    assert client.get(link).status_code == 200
    later(monkeypatch, START_LIFE + timedelta(seconds=5))
    answer = client.get(link)
    assert (answer.status_code, "Restart the web process" in answer.content.decode()) == (410, True)


@pytest.mark.parametrize("token", ["x", "first:1:2", "first"])
def test_an_invented_start_link_is_refused(client: Client, token: str) -> None:
    assert client.get(f"/start/{token}/").status_code == 410


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"password2": "another"}, "The two password fields didn’t match."),
        ({"password1": "short", "password2": "short"}, "This password is too short."),
        ({"password1": "password123", "password2": "password123"}, "This password is too common."),
        ({"username": "a b"}, "Enter a valid username."),
    ],
)
def test_a_first_account_that_will_not_do_is_refused(client: Client, change: dict[str, str], complaint: str) -> None:
    answer = client.post(the_start_link(), {**NEW, **change})
    assert not User.objects.exists()
    assert complaint in answer.content.decode()


def test_of_two_people_with_the_start_link_one_makes_the_account() -> None:
    forms = [FirstAccountForm(NEW), FirstAccountForm({**NEW, "username": "eve"})]
    assert all(form.is_valid() for form in forms)
    made = [form.create() for form in forms]
    assert ([user and user.username for user in made], User.objects.count()) == (["anne", None], 1)


def test_who_comes_second_is_told_so(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "_may_start", lambda _: True)  # as it was a moment ago
    User.objects.create_user("anne")
    assert client.post("/start/x/", {**NEW, "username": "eve"}).status_code == 410


# --- the login link --------------------------------------------------------------------------------


def test_a_login_link_logs_in_once(owner: User, client: Client) -> None:
    link = login_link(owner)
    answers = [client.get(link), Client().get(link)]
    assert [answer.status_code for answer in answers] == [302, 410]
    assert client.session["_auth_user_id"] == str(owner.pk)


def test_a_login_link_made_in_the_second_of_a_login_works_once_too(owner: User, client: Client) -> None:
    client.get(login_link(owner))
    owner.refresh_from_db()
    link = login_link(owner)
    assert [client.get(link).status_code for _ in range(2)] == [302, 410]


def test_of_two_browsers_with_one_login_link_one_gets_in(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    link = login_link(owner)
    token = link.split("/")[-2]
    uid = link.split("/")[-3]
    found = [accounts._redeem(uid, token)]
    stale = User.objects.get(pk=owner.pk)
    stale.last_login = None
    monkeypatch.setattr(User.objects, "get", lambda **_: stale)  # read before the other one's change
    found.append(accounts._redeem(uid, token))
    assert found == [owner, None]


def test_a_probe_of_the_link_does_not_use_it_up(owner: User, client: Client) -> None:
    link = login_link(owner)
    assert [client.head(link).status_code, client.get(link).status_code] == [405, 302]


@pytest.mark.parametrize("change", [{"is_active": False}, {"password": "other"}])
def test_a_login_link_ends_with_the_account_it_was_made_for(
    owner: User, client: Client, change: dict[str, Any]
) -> None:
    link = login_link(owner)
    User.objects.filter(pk=owner.pk).update(**change)
    assert client.get(link).status_code == 410


@pytest.mark.parametrize("path", ["/enter/x/y/", "/enter/MQ/y/", "/enter/OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk/y-z/"])
def test_an_invented_login_link_is_refused(owner: User, client: Client, path: str) -> None:
    assert client.get(path).status_code == 410


def test_the_terminal_gives_a_link_to_who_has_an_account(
    owner: User, client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("login_link", "owner")
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://127.0.0.1:8000/enter/")
    assert client.get(link.removeprefix("http://127.0.0.1:8000")).headers["location"] == "/"
    with pytest.raises(CommandError, match="There is no active account 'eve'"):
        call_command("login_link", "eve")


# --- the usual way ---------------------------------------------------------------------------------


def test_name_and_password_lead_to_the_page_that_was_asked_for(owner: User, client: Client) -> None:
    login = client.get("/?meter=x").headers["location"]
    form = {"username": "owner", "password": "correct horse battery", "next": "/?meter=x"}
    assert client.post(login, form).headers["location"] == "/?meter=x"


def test_nobody_is_sent_elsewhere_after_the_login(owner: User, client: Client) -> None:
    form = {"username": "owner", "password": "correct horse battery", "next": "https://example.org/"}
    assert client.post("/login/", form).headers["location"] == "/"


def test_a_wrong_password_is_told_in_a_sentence(owner: User, client: Client) -> None:
    answer = client.post("/login/", {"username": "owner", "password": "guess"})
    assert "Please enter a correct username and password." in answer.content.decode()


def test_as_long_as_nobody_has_an_account_the_login_page_says_where_to_begin(client: Client) -> None:
    before = client.get("/login/").content.decode()
    User.objects.create_user("anne")
    after = client.get("/login/").content.decode()
    assert ["Nobody has an account yet" in page for page in (before, after)] == [True, False]


def test_logging_out_ends_at_the_login_page(browser: Client) -> None:
    assert browser.post("/logout/").headers["location"] == "/login/"
    assert browser.get("/").status_code == 302


def test_no_form_works_without_its_token(owner: User) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    answer = strict.post("/login/", {"username": "owner", "password": "correct horse battery"})
    assert answer.status_code == 403
    assert re.search("Load the page again", answer.content.decode())
