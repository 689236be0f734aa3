"""What the clock decides: silence, production, standby, cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from storage.alerts.checking import Checks, injected_today
from storage.alerts.models import Alert, Place
from storage.alerts.watching import lock
from storage.models import Data, Epoch, Meter, Register, Rollup
from storage.rollups import roll_up
from storage.tariffs.daily import reckon
from tests.storage.alerts.samples import NOON, House, alerts, rule
from tests.storage.tariffs.samples import new_offer, sign

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


class Turns:
    """The checks of a process that was just started, a minute of both clocks apart."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.clock = 0.0
        self.checks = Checks(clock=lambda: self.clock, now=lambda: house.now)

    def run(self, minutes: int = 1, *, at_work: bool = False) -> None:
        """One turn each minute, before it a reading if the meter is at work."""
        for _ in range(minutes):
            self.clock += 60
            if at_work:
                self.house.draw(500, every=60.0)
            else:
                self.house.now += timedelta(seconds=60)
            self.once()

    def once(self) -> None:
        """One turn now."""
        for _ in self.checks.run():
            pass


def of_alerts(house: House) -> list[str]:
    """What was told of alerts alone."""
    return [kind for kind in house.kinds() if kind.startswith("alert")]


def test_a_meter_is_silent_after_so_many_minutes_and_heard_again(house: House) -> None:
    rule("mute", kind="silent", value="10")
    house.draw(500)
    turns = Turns(house)
    turns.run(5, at_work=True)
    turns.run(9)
    assert house.kinds() == ["meter_silent"]
    turns.run(10)
    assert house.kinds() == ["meter_silent", "alert_raised"]
    assert Alert.objects.get().since == NOON + timedelta(seconds=2 + 5 * 60)
    assert alerts() == [("raised", 19, 19)]
    turns.run(2, at_work=True)
    assert house.kinds() == ["meter_silent", "alert_raised", "alert_cleared"]
    turns.run(5)
    assert house.kinds()[3:] == ["meter_silent"]  # another silence


def test_a_restart_makes_no_meter_silent(house: House) -> None:
    """The store was away for an hour; its meter was not."""
    rule("mute", kind="silent", value="10")
    house.draw(500)
    house.now += timedelta(hours=1)
    turns = Turns(house)
    turns.run(5)
    turns.run(3, at_work=True)
    assert house.kinds() == []


def test_a_silence_is_raised_once_though_the_store_is_started_again(house: House) -> None:
    rule("mute", kind="silent", value="10")
    house.draw(500)
    for _ in range(3):
        Turns(house).run(12)
    assert house.kinds() == ["meter_silent", "alert_raised"]


@pytest.mark.parametrize("leap", [timedelta(hours=5), -timedelta(hours=5)])
def test_a_clock_that_is_set_makes_no_meter_silent(house: House, leap: timedelta) -> None:
    rule("mute", kind="silent", value="10")
    house.draw(500)
    turns = Turns(house)
    turns.run(2, at_work=True)
    house.now += leap
    turns.run(3)
    assert house.kinds() == []


def test_a_meter_that_was_taken_down_long_ago_is_not_silent(house: House) -> None:
    house.draw(500)
    house.now += 8 * DAY
    rule("mute", kind="silent", value="10")
    turns = Turns(house)
    turns.run(20)
    assert house.kinds() == ["meter_silent"]
    assert alerts() == []


def test_readings_that_come_late_say_that_the_meter_is_silent_still(house: House) -> None:
    rule("mute", kind="silent", value="10")
    house.draw(500)
    turns = Turns(house)
    turns.run(5)
    house.take(house.say(60.0, 500, late=7200, replay=True))
    turns.run(10)
    assert house.kinds() == ["meter_silent", "alert_raised"]


def test_a_meter_that_is_heard_while_it_is_called_silent_is_not(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look and the lock another thread stored a reading."""
    rule("mute", kind="silent", value="10")
    house.draw(500)
    turns = Turns(house)
    turns.run(1, at_work=True)
    turns.run(4)

    def heard(meters: list[int]) -> list[Place]:
        Place.objects.update(heard=F("heard") + 1)
        return lock(meters)

    monkeypatch.setattr("storage.alerts.checking.lock", heard)
    turns.run(10)
    assert house.kinds() == []


# --- rules that their owner took back -------------------------------------------------------------


def test_an_alert_of_a_rule_that_is_disabled_is_over(house: House) -> None:
    watched = rule()
    house.draw(9000)
    watched.enabled = False
    watched.save()
    Turns(house).once()
    assert house.kinds() == ["alert_raised", "alert_cleared"]
    assert house.told[1].attributes["value"] is None


def test_an_alert_of_a_rule_that_is_now_of_another_meter_is_over(house: House) -> None:
    watched = rule(duration=60)
    house.draw(9000)
    watched.meter = Meter.objects.create(meter_id="041961000002", mode="standard", timezone="Europe/Paris")
    watched.save()
    Turns(house).once()
    assert (alerts(), house.kinds()) == ([], [])  # it was not raised yet


# --- production ----------------------------------------------------------------------------------


def producer(readings: Sequence[tuple[datetime, int]], *, days: int = 1) -> Meter:
    """A meter with an index of what it injected, and `days` of production before today."""
    meter = Meter.objects.create(meter_id="031861360149", mode="standard", timezone="Europe/Paris")
    epoch = Epoch.objects.create(
        meter=meter, uuid="11111111-2222-4333-8444-666666666666", bridge="x", handled=0, floor=1
    )
    for seq, (at, eait) in enumerate(readings, 1):
        Data.objects.create(meter=meter, epoch=epoch, seq=seq, dateTime=at, eait=eait)
    at, eait = readings[-1]
    Register.objects.create(meter=meter, name="eait", since=readings[0][0], at=at, value=eait)
    midnight = datetime(2026, 11, 20, 23, tzinfo=UTC)
    Rollup.objects.bulk_create(
        Rollup(meter=meter, step=Rollup.Step.DAY, start=midnight - n * DAY, eait=3000) for n in range(1, days + 1)
    )
    Place.objects.create(meter=meter, at=at)
    return meter


EVENING = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)  # 23:59 in Paris
MORNING = datetime(2026, 11, 21, 8, tzinfo=UTC)  # 9:00 in Paris
AFTERNOON = NOON + timedelta(minutes=5)  # NOON is 12:00 in Paris


@pytest.mark.parametrize(
    ("readings", "now", "found"),
    [
        ([(EVENING, 100), (AFTERNOON, 100)], AFTERNOON, 0),
        ([(EVENING, 100), (AFTERNOON, 130)], AFTERNOON, 30),
        ([(EVENING, 100), (MORNING, 130)], MORNING, 30),  # what came before noon counts at once
        ([(EVENING, 100), (MORNING, 100)], MORNING, None),  # it is not noon yet
        ([(EVENING, 100), (MORNING, 100)], AFTERNOON, None),  # not heard since
        ([(EVENING, 100)], AFTERNOON, None),  # not heard today
        ([(MORNING, 100), (AFTERNOON, 100)], AFTERNOON, None),  # not heard before dawn
        ([(EVENING, 100), (AFTERNOON, 3)], AFTERNOON, 0),  # an index that began anew tells no production
    ],
)
def test_what_was_injected_since_midnight(
    readings: list[tuple[datetime, int]], now: datetime, found: int | None
) -> None:
    assert injected_today(producer(readings), now, 12) == found


def test_a_meter_that_injects_nothing_at_all_has_no_panels() -> None:
    assert injected_today(producer([(EVENING, 0), (AFTERNOON, 0)], days=0), AFTERNOON, 12) is None


def test_no_production_by_noon_is_raised_and_is_over_when_something_comes(house: House) -> None:
    rule("panels", kind="production")
    meter = producer([(EVENING, 100), (AFTERNOON, 100)])
    house.now = AFTERNOON
    turns = Turns(house)
    turns.once()
    assert house.kinds() == ["alert_raised"]
    house.now += timedelta(hours=18)  # the next morning nothing is known yet, and that is no end
    Register.objects.update(at=house.now)
    turns.run(6)
    assert of_alerts(house) == ["alert_raised"]
    Data.objects.create(meter=meter, epoch=Epoch.objects.get(), seq=9, dateTime=house.now, eait=150)
    Register.objects.update(at=house.now, value=150)
    turns.run(6)
    assert of_alerts(house) == ["alert_raised", "alert_cleared"]


# --- standby and cost ----------------------------------------------------------------------------


def test_standby_is_compared_with_what_the_nights_show(house: House) -> None:
    house.draw(500)
    meter = Meter.objects.get()
    rule("standby", kind="standby", value="250")
    night = datetime(2026, 11, 20, 23, tzinfo=UTC)
    Rollup.objects.bulk_create(
        Rollup(meter=meter, step=Rollup.Step.MINUTE, start=night - n * DAY + timedelta(minutes=m), readings=30,
               sinsts_sum=30 * (300 if m % 3 else 900))
        for n in range(4) for m in range(180)
    )  # fmt: skip
    Turns(house).once()
    assert alerts() == [("raised", 300, 300)]


def test_the_cost_of_the_day_is_raised_when_it_is_passed_and_is_over_at_midnight(house: House) -> None:
    rule("cost", kind="cost", value="1.50")
    house.take(house.say(2.0, 500, values={"east": 1_000_000}))
    sign(Meter.objects.get(), new_offer("base", {"base": "0.20"}, {6: "36.5"}))
    turns = Turns(house)
    for wh in (2_000, 9_000):
        house.take(house.say(1800.0, 500, values={"east": 1_000_000 + wh}))
        list(roll_up())
        list(reckon())
        turns.clock += 300
        turns.once()
    assert house.kinds() == ["alert_raised"]
    assert alerts() == [("raised", 1.9, 1.9)]  # 9 kWh, and a day of subscription
    house.now += DAY
    turns.clock += 300
    turns.once()
    assert of_alerts(house) == ["alert_raised", "alert_cleared"]
