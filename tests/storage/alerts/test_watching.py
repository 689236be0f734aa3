"""From stored readings to events and alerts, with a store that is started anew for each batch."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction

from storage.alerts.deliveries import Outbox
from storage.alerts.models import Alert, AlertRule, Delivery, Place
from storage.alerts.watching import Watcher, look
from storage.events import Event, Kind, occurred
from storage.ingest import ingest
from storage.models import Data, Meter
from tests.storage.alerts.samples import METER, NOON, TOPICS, House, alerts, deliveries, rule

pytestmark = pytest.mark.django_db

LOAD = 9000
REST = 500
HOUR = 3600.0


def test_it_is_raised_once_and_cleared_once_and_each_is_told(house: House) -> None:
    rule()
    house.draw(REST, LOAD, LOAD + 500, LOAD)
    assert alerts() == [("raised", LOAD, LOAD + 500)]
    assert house.kinds() == ["alert_raised"]
    house.draw(REST, REST)
    assert alerts() == [("cleared", LOAD, LOAD + 500)]
    assert deliveries() == [("raised", "mqtt", LOAD, "waiting"), ("cleared", "mqtt", REST, "waiting")]
    raised, cleared = house.told
    alert = Alert.objects.get()
    assert raised == Event(
        Kind.ALERT_RAISED, Meter.objects.get(), NOON + timedelta(seconds=4),
        {"alert": alert.pk, "rule": "too much", "value": LOAD, "since": "2026-11-21T11:00:04+00:00"},
    )  # fmt: skip
    assert (cleared.kind, cleared.attributes["value"]) == (Kind.ALERT_CLEARED, REST)
    assert (alert.raised, alert.cleared) == (NOON + timedelta(seconds=4), NOON + timedelta(seconds=10))


def test_a_whole_batch_is_looked_at_reading_by_reading(house: House) -> None:
    rule()
    house.take(*(house.say(2.0, power) for power in (LOAD, REST, LOAD, REST)))
    assert house.kinds() == ["alert_raised", "alert_cleared"] * 2
    assert [state for state, *_ in alerts()] == ["cleared", "cleared"]


def test_a_duration_goes_on_over_restarts_and_begins_anew_when_it_is_broken(house: House) -> None:
    rule(duration=60)
    house.draw(*[LOAD] * 3, every=20.0)
    assert alerts() == [("pending", LOAD, LOAD)]
    house.draw(REST, every=5.0)
    assert alerts() == []
    house.draw(*[LOAD] * 4, every=20.0)
    assert alerts() == [("raised", LOAD, LOAD)]
    assert Alert.objects.get().since == NOON + timedelta(seconds=85)
    assert house.kinds() == ["alert_raised"]


def test_what_waited_and_began_anew_in_one_batch_is_one_alert(house: House) -> None:
    rule(duration=10)
    house.draw(LOAD)
    house.take(house.say(2.0, REST), *(house.say(5.0, LOAD) for _ in range(3)))
    assert alerts() == [("raised", LOAD, LOAD)]


def test_flapping_around_the_limit_is_one_alert_with_hysteresis(house: House) -> None:
    rule(hysteresis=1000)
    house.draw(*[8100, 7900] * 10)
    assert house.kinds() == ["alert_raised"]
    house.draw(6999)
    assert house.kinds() == ["alert_raised", "alert_cleared"]


def test_a_reading_that_does_not_speak_of_the_field_changes_nothing(house: House) -> None:
    rule()
    house.draw(LOAD)
    house.take(house.say(2.0, None, values={"east": 5}))
    assert house.kinds() == ["alert_raised"]


def test_a_trip_is_over_after_a_minute_without_a_risk(house: House) -> None:
    rule(kind="trip")
    for after, seconds in ((2, None), (2, 90), (2, None), (30, 80), (2, None), (59, None)):
        house.take(house.say(after, derived={"breaker_seconds_to_trip": seconds}))
    assert house.kinds() == ["trip_risk", "alert_raised"]
    house.take(house.say(1, derived={"breaker_seconds_to_trip": None}))
    assert house.kinds() == ["trip_risk", "alert_raised", "alert_cleared"]


def test_a_rule_is_of_one_meter_or_of_all(house: House) -> None:
    house.draw(REST)
    other = House(meter="041961000002")
    rule(meter=Meter.objects.get())
    rule("every")
    other.draw(LOAD)
    house.draw(LOAD)
    named = Alert.objects.order_by("pk").values_list("rule__name", "meter__meter_id")
    assert set(named) == {("every", "041961000002"), ("every", METER), ("too much", METER)}


def test_a_rule_that_is_disabled_or_that_no_form_let_through_raises_nothing(house: House) -> None:
    rule(enabled=False)
    AlertRule.objects.create(name="by SQL", field="sinsts", operator="<>", value="many")
    house.draw(LOAD)
    assert (alerts(), house.kinds()) == ([], [])


def test_an_alert_whose_rule_now_watches_something_else_is_over(house: House) -> None:
    watched = rule()
    house.draw(LOAD)
    watched.field, watched.value = "irms1", "30"
    watched.save()
    house.take(house.say(2.0, LOAD, values={"irms1": 40}))
    assert house.kinds() == ["alert_raised", "alert_cleared", "alert_raised"]
    assert alerts() == [("cleared", LOAD, LOAD), ("raised", 40, 40)]


def test_a_batch_that_came_in_disorder_is_looked_at_in_the_order_of_time(house: House) -> None:
    rule()
    first, second = house.say(2.0, LOAD), house.say(2.0, REST)
    house.take(second, first)
    assert house.kinds() == ["alert_raised", "alert_cleared"]


# --- what is news --------------------------------------------------------------------------------


def test_what_is_older_than_an_hour_is_learned_from_and_raises_nothing(house: House) -> None:
    rule()
    for index in (1, 2, 3):
        house.take(house.say(2.0, LOAD, late=HOUR + 1, replay=True, derived={"tariff_index": index}))
    assert (alerts(), house.kinds()) == ([], [])
    assert Place.objects.get().at == house.now - timedelta(seconds=HOUR + 1)
    house.take(house.say(2.0, REST, derived={"tariff_index": 4}))
    assert [event.attributes for event in house.told] == [{"before": 3, "after": 4}]


def test_old_readings_do_not_clear_what_is_raised(house: House) -> None:
    rule()
    house.draw(LOAD)
    house.take(house.say(5 * HOUR, REST, late=2 * HOUR, replay=True))
    assert [state for state, *_ in alerts()] == ["raised"]


def test_readings_that_waited_for_some_minutes_are_news_in_their_order(house: House) -> None:
    """A broker that was away for ten minutes hides no alert."""
    rule(duration=60)
    house.draw(REST)
    house.now += timedelta(seconds=700)
    house.take(*(house.say(30.0, LOAD, late=600, replay=True) for _ in range(3)), house.say(2.0, REST))
    assert house.kinds() == ["alert_raised", "alert_cleared"]


def test_a_replay_that_is_older_than_what_was_looked_at_says_nothing(house: House) -> None:
    rule()
    house.draw(REST)
    house.take(house.say(2.0, LOAD, late=60, replay=True))
    house.take(house.say(2.0, LOAD, late=600, replay=True))
    house.take(house.say(2.0, LOAD, late=60))  # nor what another worker of this database was given
    assert (Data.objects.count(), house.kinds()) == (4, [])


def test_a_clock_that_was_set_back_by_minutes_is_followed(house: House) -> None:
    rule()
    house.draw(REST)
    house.take(house.say(2.0, LOAD, late=600))  # news by its bridge's own word
    assert house.kinds() == ["alert_raised"]


def test_a_reading_from_the_future_makes_nobody_deaf(house: House) -> None:
    rule()
    house.take(house.say(2.0, LOAD, late=-2 * HOUR))
    assert (Place.objects.get().at, house.kinds()) == (None, [])
    house.take(house.say(2.0, REST, late=-HOUR / 2))
    house.draw(LOAD)
    assert house.kinds() == ["alert_raised"]


def test_a_store_whose_own_clock_leaps_ahead_raises_nothing_and_comes_back(house: House) -> None:
    rule()
    house.draw(REST)
    house.take(house.say(2.0, LOAD, late=3 * HOUR))
    assert house.kinds() == []
    house.draw(LOAD)
    assert house.kinds() == ["alert_raised"]


def test_two_workers_of_one_database_raise_once(house: House) -> None:
    rule(duration=10)
    ours, theirs = Watcher(now=lambda: house.now), Watcher(now=lambda: house.now)
    for n in range(12):
        readings = ingest(TOPICS, [house.say(2.0, LOAD)]).readings
        (ours, theirs)[n % 2].take(readings)
    assert house.kinds() == ["alert_raised"]


@pytest.mark.postgresql  # SQLite has one writer at a time
@pytest.mark.django_db(transaction=True)
def test_two_threads_that_see_a_meter_for_the_first_time_raise_once(house: House) -> None:
    rule()
    halves = [ingest(TOPICS, [house.say(2.0, LOAD), house.say(2.0, LOAD)]).readings for _ in range(2)]
    at_once = threading.Barrier(2)

    def look_at(readings: Any) -> None:
        at_once.wait(20.0)
        Watcher(now=lambda: house.now).take(readings)
        connection.close()

    threads = [threading.Thread(target=look_at, args=(half,)) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [state for state, *_ in alerts()] == ["raised"]
    assert Place.objects.get().at == house.now


def test_a_mark_from_a_wrong_clock_is_no_mark(house: House) -> None:
    """Ours was an hour ahead, and its bridge's with it; then both were set."""
    rule()
    house.draw(REST)
    house.now -= timedelta(minutes=50)
    house.take(house.say(2.0, LOAD, replay=True))
    assert house.kinds() == ["alert_raised"]


# --- killed, refused, not there ------------------------------------------------------------------


def test_what_is_not_committed_was_not_told_and_the_next_reading_tells_it(house: House) -> None:
    rule()
    house.take(house.say(2.0, REST, derived={"tariff_index": 1}))
    readings = ingest(TOPICS, [house.say(2.0, LOAD, derived={"tariff_index": 2})]).readings
    with transaction.atomic():
        look(readings, house.now)
        transaction.set_rollback(True)  # as a kill does
    assert (alerts(), deliveries()) == ([], [])
    house.told.clear()
    house.take(house.say(2.0, LOAD, derived={"tariff_index": 2}))
    assert house.kinds() == ["tariff_change", "alert_raised"]


def test_the_database_holds_one_open_alert_of_a_rule_and_a_meter(house: House) -> None:
    rule()
    house.draw(LOAD)
    alert = Alert.objects.get()
    alert.pk, alert.uuid = None, Alert().uuid
    with pytest.raises(IntegrityError), transaction.atomic():
        alert.save()


def test_a_database_that_is_away_is_said_once_and_hides_nothing(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> None:
        raise OperationalError("no route")

    rule()
    watcher = Watcher(now=lambda: house.now)
    monkeypatch.setattr("storage.alerts.watching.connection.close", lambda: None)  # it holds this test's transaction
    with monkeypatch.context() as patch:
        patch.setattr("storage.alerts.watching.look", away)
        watcher.take(ingest(TOPICS, [house.say(2.0, LOAD)]).readings)
        watcher.take(ingest(TOPICS, [house.say(2.0, LOAD)]).readings)
    assert [record.getMessage() for record in caplog.records] == [
        "Alerts could not be looked at (no route); they are with the next readings"
    ]
    watcher.take(ingest(TOPICS, [house.say(2.0, LOAD)]).readings)
    assert house.kinds() == ["alert_raised"]


def test_what_nobody_thought_of_is_logged_and_keeps_no_reading_from_being_stored(
    house: House, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("storage.alerts.watching.look", breaks)
    monkeypatch.setattr("storage.alerts.watching.connection.close", lambda: None)
    house.draw(LOAD)
    assert "Alerts could not be looked at" in caplog.text
    assert Data.objects.count() == 1


def test_without_a_client_mqtt_is_not_offered(house: House) -> None:
    rule(recipients="me@example.org")
    Outbox(mqtt=True).close()  # there is one in a process
    Outbox(mqtt=False).open()
    house.draw(LOAD)
    assert deliveries() == [("raised", "mail", LOAD, "waiting")]


def test_a_receiver_that_writes_writes_once(house: House) -> None:
    """What webhooks will do: in the transaction that moves the mark."""
    rule()
    seen: list[bool] = []

    def hear(**_: Any) -> None:
        seen.append(transaction.get_connection().in_atomic_block)

    occurred.connect(hear, Event)
    house.draw(LOAD)
    occurred.disconnect(hear, Event)
    assert seen == [True]


# --- rules as their owner writes them -------------------------------------------------------------


def test_recipients_are_addresses(house: House) -> None:
    made = rule(recipients="me@example.org,\nyou@example.org, me@example.org")
    assert made.addresses == ["me@example.org", "you@example.org"]
    house.draw(LOAD)
    assert {row.recipient for row in Delivery.objects.filter(channel="mail")} == set(made.addresses)
    for wrong in ("me", "me@example.org you@example.org", ", ".join(f"a{n}@example.org" for n in range(21))):
        with pytest.raises(ValidationError) as caught:
            rule(wrong, recipients=wrong)
        assert set(caught.value.message_dict) <= {"recipients", "name"}


def test_a_change_of_a_rule_is_in_its_history() -> None:
    watched = rule()
    watched.value = "9000"
    watched.save(_reason="new contract")
    assert watched.history.first().differences()[0].old == "8000"
