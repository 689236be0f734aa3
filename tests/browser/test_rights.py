"""Who may only look sees every page, and on none of them a form that changes what is stored."""

from __future__ import annotations

from typing import Final

import pytest

from tests.browser.conftest import PHONE, House, Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MADE: Final = (
    "from django.contrib.auth.models import User; from storage.web.roles import Role, give; "
    "user, _ = User.objects.get_or_create(username='onlooker'); give(user, Role.LOOK)"
)
PAGES: Final = (
    "/",
    "/history/",
    "/costs/",
    "/costs/contracts/",
    "/tempo/",
    "/meter/",
    "/alerts/",
    "/data/",
    "/settings/",
)
# What is one's own: the language, the look, the session, a password.
OWN: Final = ("/i18n/setlang/", "/theme/", "/logout/", "/settings/password/")
FORMS: Final = """forms => forms.filter(form => form.method === "post").map(form => new URL(form.action).pathname)"""


@pytest.fixture(scope="session")
def onlooker(house: House) -> str:
    house.manage("shell", "-c", MADE)
    return "onlooker"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_shown_without_a_form_that_changes_anything(visit: Visit, onlooker: str, path: str) -> None:
    visitor = visit(size=PHONE, user=onlooker)
    page = visitor.open(path)
    assert [where for where in page.locator("form").evaluate_all(FORMS) if where not in OWN] == []
    assert visitor.fits()


@pytest.mark.parametrize("path", ["/settings/users/", "/settings/webhooks/new/", "/welcome/"])
def test_what_only_others_may_is_refused(visit: Visit, onlooker: str, path: str) -> None:
    visitor = visit(user=onlooker)
    answer = visitor.page.goto(path)
    assert answer is not None
    assert answer.status == 403
    assert visitor.page.locator("main form[method=post]").count() == 0
    visitor.faults.clear()  # chromium complains of a refusal, as it should


def test_the_administration_asks_for_another_account(visit: Visit, onlooker: str) -> None:
    page = visit(user=onlooker).open("/admin/")
    assert "/admin/login/" in page.url
