"""Rules, alerts and messages in the administration."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import translation

from storage.alerts.models import AlertRule, Delivery
from tests.storage.alerts.samples import METER, House, rule

pytestmark = pytest.mark.django_db

FORM = {
    "name": "too much", "enabled": "on", "kind": "threshold", "meter": "", "field": "sinsts", "operator": ">",
    "value": "8000", "duration": "60", "hysteresis": "500", "mqtt": "on", "recipients": "me@example.org",
    "change_reason": "a new oven",
}  # fmt: skip


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def browser() -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("owner"))
    return client


def page(browser: Client, path: str) -> str:
    answer = browser.get(f"/admin/alerts/{path}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_rule_is_made_by_a_form_and_signed(browser: Client) -> None:
    assert browser.post("/admin/alerts/alertrule/add/", FORM).status_code == 302
    made = AlertRule.objects.get()
    record = made.history.get()
    assert (made.condition.threshold, made.addresses, record.history_change_reason) == (
        8000, ["me@example.org"], "a new oven",
    )  # fmt: skip
    assert record.history_user.username == "owner"
    assert "Apparent power &gt; 8000 VA for 60 s" in page(browser, "alertrule/")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"field": "papp"}, "Expected the name of a field, as the list of labels gives it, such as sinsts."),
        ({"value": "8 kVA"}, "Expected a number that this field can show (VA)."),
        ({"recipients": "me"}, "me is no e-mail address."),
        ({"hysteresis": ""}, "This field is required."),
        ({"kind": "silent"}, "Leave it empty: this kind of rule has none."),
    ],
)
def test_a_form_says_what_is_wrong(browser: Client, wrong: dict[str, str], said: str) -> None:
    answer = browser.post("/admin/alerts/alertrule/add/", FORM | wrong)
    assert answer.status_code == 200
    assert said in answer.content.decode()
    assert not AlertRule.objects.exists()


def test_every_page_can_be_reached_and_shows_what_is_raised(browser: Client, house: House) -> None:
    watched = rule(recipients="me@example.org")
    AlertRule.objects.create(name="by SQL", field="sinsts", operator=">", value="many")
    house.draw(9000, 9500)
    rules = page(browser, "alertrule/")
    assert f"raised: {METER}" in rules
    assert "Expected a number that this field can show (VA)." in rules
    alert = watched.alerts.get()
    assert "9500 VA" in page(browser, "alert/")
    shown = page(browser, f"alert/{alert.pk}/change/")
    assert all(text in shown for text in ("9500 VA", "me@example.org", "waiting"))
    assert 'name="_save"' not in shown
    assert "me@example.org" in page(browser, "delivery/?state=waiting")
    for path in ("alert/add/", "delivery/add/"):
        assert browser.get(f"/admin/alerts/{path}").status_code == 403


def test_what_was_given_up_is_sent_again_on_demand(browser: Client, house: House) -> None:
    rule(recipients="me@example.org")
    house.draw(9000)
    Delivery.objects.filter(channel="mail").update(state="failed", tries=30, error="no server")
    Delivery.objects.filter(channel="mqtt").update(state="sent", tries=1)
    everything = list(Delivery.objects.values_list("pk", flat=True))
    answer = browser.post(
        "/admin/alerts/delivery/", {"action": "send_again", "_selected_action": everything}, follow=True
    )
    assert "Messages that will be sent again: 1" in answer.content.decode()
    assert set(Delivery.objects.values_list("channel", "state", "tries", "error")) == {
        ("mail", "waiting", 0, ""), ("mqtt", "sent", 1, ""),
    }  # fmt: skip


def test_in_french(browser: Client, house: House) -> None:
    rule()
    house.draw(9000)
    with translation.override("fr"):
        answer = browser.get("/admin/alerts/alertrule/", headers={"accept-language": "fr"})
    text = answer.content.decode()
    assert "Puissance apparente &gt; 8000 VA" in text
    assert f"alerte en cours : {METER}" in text
