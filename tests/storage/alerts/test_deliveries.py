"""Messages that wait, are claimed, sent, tried again and given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage.alerts import deliveries as module
from storage.alerts.deliveries import MOST_MAILED, TRIES, claim, due, forget_old, note_failed, note_sent
from storage.alerts.models import Alert, Delivery
from tests.storage.alerts.samples import House, deliveries, rule

pytestmark = pytest.mark.django_db

MQTT, MAIL = Delivery.Channel.MQTT, Delivery.Channel.MAIL


@pytest.fixture
def waiting(house: House) -> House:
    """A raised alert whose messages nobody sent yet."""
    rule(recipients="me@example.org")
    house.draw(9000)
    Delivery.objects.update(due=house.now)
    return house


def test_a_message_is_claimed_by_one_and_comes_back_later(waiting: House) -> None:
    (ours,), (theirs,) = due(MAIL, waiting.now), due(MAIL, waiting.now)
    assert claim(ours, waiting.now)
    assert not claim(theirs, waiting.now)
    assert due(MAIL, waiting.now) == []
    assert due(MAIL, waiting.now + timedelta(seconds=29)) == []
    assert due(MAIL, waiting.now + timedelta(seconds=30)) == [ours]


def test_waits_grow_to_an_hour_and_a_message_is_given_up_where_it_is_seen(waiting: House) -> None:
    now, waits = waiting.now, []
    for n in range(1, TRIES[MAIL] + 1):
        (one,) = due(MAIL, now)
        assert claim(one, now)
        assert note_failed(one, "no server", is_final=False) == (n == TRIES[MAIL])
        later = Delivery.objects.get(pk=one.pk).due
        waits.append((later - now).total_seconds())
        now = later
    assert waits[:8] == [30, 60, 120, 240, 480, 960, 1920, 3600]
    assert set(waits[8:]) == {3600}
    assert due(MAIL, now) == []
    row = Delivery.objects.get(channel=MAIL)
    assert (row.state, row.tries, row.error) == ("failed", 30, "no server")


def test_what_no_try_can_help_is_given_up_at_once(waiting: House) -> None:
    (one,) = due(MAIL, waiting.now)
    assert claim(one, waiting.now)
    assert note_failed(one, "no such address", is_final=True)
    assert deliveries(channel="mail") == [("raised", "mail", 9000, "failed")]


def test_nobody_hears_of_an_end_before_the_beginning(waiting: House) -> None:
    waiting.draw(500)
    Delivery.objects.update(due=waiting.now)
    assert [one.change for one in due(MQTT, waiting.now)] == ["raised"]
    (one,) = due(MQTT, waiting.now)
    assert claim(one, waiting.now)
    assert due(MQTT, waiting.now) == []
    note_sent(one, waiting.now)
    assert [one.change for one in due(MQTT, waiting.now)] == ["cleared"]


def test_a_value_that_wavers_fills_no_mailbox(house: House) -> None:
    rule(recipients="me@example.org")
    house.draw(*[9000, 500] * 15)
    assert len(list(deliveries(channel="mqtt"))) == 30
    mails = list(deliveries(channel="mail"))
    assert [change for change, *_ in mails] == ["raised", "cleared"] * MOST_MAILED
    house.now += timedelta(hours=1)
    house.draw(9000, 500)
    assert len(list(deliveries(channel="mail"))) == 2 * MOST_MAILED + 2


def test_the_end_is_told_to_whoever_was_told_of_the_beginning(house: House) -> None:
    watched = rule(recipients="me@example.org")
    house.draw(9000)
    watched.recipients, watched.mqtt = "you@example.org", False
    watched.save()
    house.draw(500)
    assert set(Delivery.objects.filter(change="cleared").values_list("channel", "recipient")) == {
        ("mail", "me@example.org"), ("mqtt", ""),
    }  # fmt: skip


def test_a_clock_that_was_set_back_holds_no_message_back(waiting: House) -> None:
    Delivery.objects.update(due=waiting.now + timedelta(days=300))
    assert len(due(MAIL, waiting.now)) == 1


def test_only_the_newest_alerts_that_are_over_are_kept(waiting: House, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting.draw(*[500, 9000] * 5)
    assert list(forget_old()) == []
    monkeypatch.setattr(module, "_KEPT", 2)
    newest = list(Alert.objects.order_by("pk").values_list("pk", flat=True))[-3:]
    assert sum(forget_old()) > 0
    assert list(Alert.objects.order_by("pk").values_list("pk", flat=True)) == newest  # one of them is raised
