"""Guesses at passwords are limited, for each address and each account, and never for long."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import aauthenticate
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from storage.tokens.guesses import PER_ACCOUNT, PER_ADDRESS, WINDOW, take
from storage.tokens.models import Guesses

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)
RIGHT = "correct horse battery"


def guess(password: str, name: str = "owner", address: str = "203.0.113.7", path: str = "/login/") -> int:
    client = Client(headers={"accept-language": "en"})
    return client.post(path, {"username": name, "password": password}, REMOTE_ADDR=address).status_code


def later() -> None:
    """As if the time had passed."""
    Guesses.objects.update(until=timezone.now())


def test_after_too_many_guesses_at_an_account_not_even_the_right_password_is_looked_at(owner: User) -> None:
    wrong = {guess("x", address=f"203.0.113.{n}") for n in range(PER_ACCOUNT)}
    assert (wrong, guess(RIGHT, address="203.0.113.99"), guess(RIGHT, "OWNER")) == ({200}, 429, 429)
    later()
    assert guess(RIGHT) == 302


def test_after_too_many_guesses_from_an_address_no_account_is_looked_at(owner: User) -> None:
    wrong = {guess("x", f"name{n}") for n in range(PER_ADDRESS)}
    assert (wrong, guess(RIGHT), guess(RIGHT, address="203.0.113.8")) == ({200}, 429, 302)
    later()
    assert guess(RIGHT) == 302


def test_addresses_of_one_customer_are_one(owner: User) -> None:
    for n in range(PER_ADDRESS):
        guess("x", f"name{n}", address=f"2001:db8::{n:x}")
    assert [guess(RIGHT, address="2001:db8::ffff"), guess(RIGHT, address="2001:db8:0:1::1")] == [429, 302]


def test_the_page_says_how_long_to_wait(owner: User) -> None:
    for _ in range(PER_ACCOUNT):
        guess("x")
    answer = Client(headers={"accept-language": "en"}).post("/login/", {"username": "owner", "password": RIGHT})
    assert "Too many attempts. Try again later; minutes to wait: 5." in answer.content.decode()
    assert 290 <= int(answer["Retry-After"]) <= 300


def test_the_administrations_own_login_has_the_limit_too(owner: User) -> None:
    for _ in range(PER_ACCOUNT):
        guess("x", path="/admin/login/")
    assert guess(RIGHT) == 429
    page = Client(headers={"accept-language": "en"}).post("/admin/login/", {"username": "owner", "password": RIGHT})
    assert "Too many attempts. Try again later; minutes to wait: 5." in page.content.decode()


def test_the_administration_still_wants_its_staff_and_says_so(db: None) -> None:
    User.objects.create_user("guest", password=RIGHT)
    client = Client(headers={"accept-language": "en"})
    page = client.post("/admin/login/", {"username": "guest", "password": RIGHT})
    assert ("for a staff account" in page.content.decode(), "_auth_user_id" in client.session) == (True, False)


def test_a_right_password_ends_the_count_of_its_account(owner: User) -> None:
    for _ in range(3):
        assert [guess("x") for _ in range(PER_ACCOUNT - 1)] == [200] * (PER_ACCOUNT - 1)
        assert guess(RIGHT) == 302
        Guesses.objects.filter(count__gt=1).update(count=0)  # of the address, which this test is not about


def test_who_has_an_account_does_not_get_more_guesses_at_others(owner: User) -> None:
    for n in range(PER_ADDRESS):
        guess(RIGHT)
        guess("x", f"name{n}")
    assert guess("x", "other") == 429


def test_a_password_in_the_place_of_the_name_is_not_kept(owner: User) -> None:
    guess("x", "my secret password")
    assert not [row for row in Guesses.objects.values() if "secret" in str(row)]


def test_old_counts_do_not_pile_up(owner: User) -> None:
    for n in range(5):
        guess("x", f"name{n}")
    later()
    guess("x", "another")
    assert Guesses.objects.count() == 2


def test_a_count_begins_anew_when_its_time_is_over(db: None) -> None:
    taken = [take("k", 2, NOW + timedelta(minutes=n)) for n in (0, 1, 2)]
    assert taken == [None, None, timedelta(minutes=3)]
    assert [take("k", 2, NOW + WINDOW + timedelta(minutes=n)) for n in (0, 1, 2)] == taken


def test_django_in_asynchronous_code_has_the_limit_too(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storage.tokens.guesses.take", lambda *_: timedelta(minutes=1))
    found = asyncio.run(aauthenticate(HttpRequest(), username="owner", password=RIGHT))
    assert found is None


@pytest.mark.postgresql  # on SQLite: tests/storage/usage/test_parallel.py
@pytest.mark.django_db(transaction=True)
def test_of_twenty_guesses_at_once_no_more_than_the_limit_are_counted_as_within() -> None:
    def one(_: int) -> bool:
        try:
            return take("k", 5, NOW) is None
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(one, range(20))) == 5
