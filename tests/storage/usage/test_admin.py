"""Who polls the API, as its owner sees it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage.tokens.models import Token
from storage.usage.models import Usage

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(owner: User, counting: Any) -> Client:
    counting.SERVICE_USAGE = False  # these calls are not what is looked at
    client = Client(headers={"accept-language": "en"})
    client.force_login(owner)
    return client


def test_who_calls_most_is_first(browser: Client, owner: User) -> None:
    token, _ = Token.issue(owner, "Grafana", ["history"])
    Usage.objects.create(user=owner, route="now", calls=3)
    Usage.objects.create(token=token, route="curve", calls=1234)
    page = browser.get("/admin/usage/usage/").content.decode()
    assert "Grafana" in page
    assert page.index(">curve<") < page.index(">now<")


def test_a_limit_is_set_before_the_first_call_or_later(browser: Client, owner: User) -> None:
    browser.post("/admin/usage/usage/add/", {"user": owner.pk, "route": "now", "limit": "5", "reset": "day"})
    row = Usage.objects.get()
    assert (row.caller, row.limit, row.reset) == (f"user:{owner.pk}", 5, "day")
    Usage.objects.update(calls=7, used=5)
    browser.post(f"/admin/usage/usage/{row.pk}/change/", {"limit": "6", "reset": "week"})
    row.refresh_from_db()
    assert (row.limit, row.reset, row.calls, row.used) == (6, "week", 7, 0)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"user": ""}, "Choose a user or a token, not both."),
        ({"route": "curve"}, "There is a row for this caller and route already"),
        ({"limit": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused(browser: Client, owner: User, change: dict[str, str], complaint: str) -> None:
    Usage.objects.create(user=owner, route="curve")
    form = {"user": str(owner.pk), "route": "now", "limit": "5", "reset": "day", **change}
    assert complaint in browser.post("/admin/usage/usage/add/", form).content.decode()
    assert Usage.objects.count() == 1
