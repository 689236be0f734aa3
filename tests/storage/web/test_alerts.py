"""The page of alerts: what it shows, what its forms do, and to whom."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from bridge.config import Settings
from storage.alerts.models import Alert, AlertRule, Delivery
from storage.webhooks.models import Delivery as Call
from storage.webhooks.models import Webhook
from tests.storage.alerts.postbox import Postbox
from tests.storage.alerts.samples import rule
from tests.storage.web.samples import stored_meter

AT = datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
THRESHOLD = {
    "name": "oven", "meter": "", "field": "sinsts", "operator": ">", "value": "8000", "duration": "60",
    "hysteresis": "500", "recipients": "me@example.org", "mqtt": "on", "enabled": "on",
}  # fmt: skip


@pytest.fixture
def reader(db: None) -> Client:
    """May look, and nothing else."""
    user = User.objects.create_user("reader")
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_alert", "view_alertrule"]))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    return client


def page(client: Client, path: str = "/alerts/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def said(client: Client) -> list[str]:
    """What the next page tells of the change before it."""
    return re.findall(r'<li data-level="\w+">(.*?)</li>', page(client))


def alert(of: AlertRule, hours: int = 0, **fields: Any) -> Alert:
    meter = stored_meter() if not Alert.objects.exists() else Alert.objects.first().meter  # type: ignore[union-attr]
    at = AT - timedelta(hours=hours)
    over = {"state": "cleared", "cleared": at + timedelta(minutes=9)} if hours else {"state": "raised"}
    return Alert.objects.create(
        rule=of, meter=meter, subject=of.subject, since=at, seen=at, raised=at, value=9000, peak=9500, **over | fields
    )


def test_without_rules_it_says_where_to_begin(browser: Client) -> None:
    shown = page(browser)
    assert "No alert is open" in shown
    assert "nothing is watched" in shown
    assert '<a href="/alerts/rules/new/threshold/">' in shown
    assert "No mail server is set" in shown
    assert "badge" not in shown.replace("data-refresh=", "").replace('"badge-', "")


def test_what_goes_on_and_what_is_over_is_listed(browser: Client) -> None:
    made = rule("oven & heater", recipients="me@example.org")
    alert(made)
    for hours in range(1, 23):
        alert(made, hours)
    shown = page(browser)
    assert "Open alerts: 1" in shown
    assert '<span class="badge">1<span class="unseen"> open</span></span>' in shown
    assert "oven &amp; heater" in shown
    assert "9,500 VA" in shown.replace("\N{NO-BREAK SPACE}", " ") or "9500 VA" in shown
    assert (shown.count("<li><strong>oven"), 'href="?page=2"' in shown) == (20, True)
    assert page(browser, "/alerts/?page=2").count("<li><strong>oven") == 2


def test_a_rule_is_made_changed_switched_off_and_deleted(browser: Client, owner: User) -> None:
    assert browser.post("/alerts/rules/new/threshold/", THRESHOLD).status_code == 302
    made = AlertRule.objects.get()
    assert (made.kind, made.field, made.duration, made.addresses, made.current_user) == (
        "threshold", "sinsts", 60, ["me@example.org"], owner,
    )  # fmt: skip
    assert said(browser) == ["New rule oven: Apparent power &gt; 8000 VA for 60 s."]
    place = f"/alerts/rules/{made.uuid}/"
    assert 'value="8000"' in page(browser, place)
    browser.post(place, THRESHOLD | {"value": "7000"})
    assert said(browser) == ["The rule oven is changed: Apparent power &gt; 7000 VA for 60 s."]
    browser.post(f"{place}switch/", {"enabled": "off"})
    assert said(browser) == ["The rule oven is off: it raises nothing until it is switched on again."]
    assert not AlertRule.objects.get().enabled
    browser.post(f"{place}switch/", {"enabled": "on"})
    assert said(browser) == ["The rule oven is on."]
    alert(made, 1)
    assert "The alerts that it raised go with it: 1." in page(browser, f"{place}delete/")
    assert AlertRule.objects.exists()
    browser.post(f"{place}delete/")
    assert said(browser) == ["The rule oven is deleted."]
    assert not AlertRule.objects.exists()
    assert browser.get(place).status_code == 404


@pytest.mark.parametrize(
    ("kind", "value", "parts"),
    [
        ("silent", "15", {"name", "meter", "value", "mqtt", "recipients", "enabled"}),
        ("production", "", {"name", "meter", "value", "mqtt", "recipients", "enabled"}),
        ("standby", "200", {"name", "meter", "value", "hysteresis", "mqtt", "recipients", "enabled"}),
        ("cost", "2,5", {"name", "meter", "value", "mqtt", "recipients", "enabled"}),
        ("trip", "60", {"name", "meter", "value", "mqtt", "recipients", "enabled"}),
    ],
)
def test_each_kind_asks_for_what_it_has(browser: Client, kind: str, value: str, parts: set[str]) -> None:
    path = f"/alerts/rules/new/{kind}/"
    form = page(browser, path).partition('class="form"')[2].partition("</form>")[0]
    assert set(re.findall(r' name="(\w+)"', form)) - {"csrfmiddlewaretoken"} == parts
    answer = browser.post(path, THRESHOLD | {"value": value, "hysteresis": "0"})
    assert answer.status_code == 302
    made = AlertRule.objects.get()
    assert (made.kind, made.field, made.operator, made.duration, made.problems) == (kind, "", "", 0, {})


@pytest.mark.parametrize(
    ("kind", "wrong", "sentence"),
    [
        ("threshold", {"value": "much"}, "Expected a number that this field can show (VA)."),
        ("threshold", {"field": "tempo_tomorrow", "operator": "=", "value": "green"}, "Expected one of"),
        ("threshold", {"recipients": "me"}, "me is no e-mail address."),
        ("silent", {"value": "0"}, "Expected a number from 1 to 10080 (min)."),
        ("cost", {"value": ""}, "This field is required."),
    ],
)  # fmt: skip
def test_what_could_never_be_raised_is_refused_beside_its_field(
    browser: Client, kind: str, wrong: dict[str, str], sentence: str
) -> None:
    answer = browser.post(f"/alerts/rules/new/{kind}/", THRESHOLD | wrong)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not AlertRule.objects.exists()


def test_a_kind_that_does_not_exist_has_no_form(browser: Client) -> None:
    assert browser.get("/alerts/rules/new/weather/").status_code == 404


def test_who_may_only_look_sees_no_form_and_may_send_none(reader: Client) -> None:
    made = rule("oven")
    shown = page(reader)
    assert "oven" in shown
    assert "/alerts/rules/" not in shown
    assert 'name="address"' not in shown
    place = f"/alerts/rules/{made.uuid}/"
    for path in ("/alerts/rules/new/silent/", place, f"{place}switch/", f"{place}delete/", "/alerts/test/"):
        assert reader.post(path, {"address": "me@example.org"}).status_code == 403, path
    assert reader.get(place).status_code == 403
    assert AlertRule.objects.get().enabled


def test_who_may_see_no_alerts_sees_neither_page_nor_number(db: None) -> None:
    client = Client()
    client.force_login(User.objects.create_user("guest"))
    alert(rule())
    assert client.get("/alerts/").status_code == 403
    assert 'class="badge"' not in page(client, "/")


def test_a_rule_that_cannot_be_used_any_more_says_why(browser: Client) -> None:
    AlertRule.objects.create(name="old", field="gone", operator=">", value="1")
    shown = page(browser)
    assert "cannot be used" in shown
    assert "Expected the name of a field" in shown


def test_the_last_messages_say_what_became_of_them(browser: Client, settings: Any) -> None:
    settings.NOTIFY_CHANGES = True
    one = alert(rule("oven", recipients="me@example.org"))
    Delivery.objects.create(
        alert=one, change="raised", channel="mail", recipient="me@example.org", at=AT, state="failed", error="No <way>."
    )
    hook = Webhook.objects.create(name="the shed", url="https://example.org/", events=["alert_raised"])
    Webhook.objects.create(name="other", url="https://example.org/", events=["created"])
    Call.objects.create(
        webhook=hook, event="alert_raised", payload={"data": {"rule": "oven"}}, state="given_up", said="HTTP 500"
    )
    shown = page(browser)
    for part in (
        "me@example.org · given up",
        "No &lt;way&gt;.",
        "the shed · given up",
        "HTTP 500",
        "<dd>the shed</dd>",
    ):
        assert part in shown, part


def test_a_test_message_goes_by_the_server_of_the_configuration(browser: Client, settings: Any) -> None:
    postbox = Postbox()
    settings.TICBRIDGE = Settings.model_validate(
        {"mail": {"host": "127.0.0.1", "port": postbox.port, "tls": "none", "from": "linky@example.org"}}
    )
    with postbox.open():
        browser.post("/alerts/test/", {"address": "you@example.org"})
    assert postbox.recipients == ["you@example.org"]
    server = f"127.0.0.1:{postbox.port}"
    assert said(browser) == [f"The mail server {server} took the test message to you@example.org."]
    browser.post("/alerts/test/", {"address": "you"})
    assert said(browser) == ["you is no e-mail address: nothing was sent."]
    browser.post("/alerts/test/", {"address": "you@example.org"})
    (sentence,) = said(browser)
    assert sentence.startswith(f"The test message did not go. The mail server {server} refuses connections")


def test_without_a_mail_server_a_test_message_says_so(browser: Client) -> None:
    browser.post("/alerts/test/", {"address": "you@example.org"})
    assert said(browser) == [
        "The test message did not go. mail.host: no mail server is set; expected its name, such as smtp.example.org"
    ]
