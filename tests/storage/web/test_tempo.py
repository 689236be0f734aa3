"""The page of colours, hours and prices."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission, User
from django.contrib.messages import get_messages
from django.test import Client
from django.utils import timezone

from storage.models import Meter
from storage.tariffs.in_force import in_force, names_of, prices_of
from storage.tariffs.models import (
    CalendarRule,
    DirtyDays,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    TariffPrice,
    TempoDay,
)
from storage.tariffs.seasons import Season
from storage.tariffs.tempo_days import current_day, tell
from storage.web.tempo import calendar
from storage.web.tempo.hours import strip
from storage.web.tempo.prices import PriceLine, price_lines
from tests.storage.tariffs.samples import LONG_AGO, new_offer, sign
from tests.storage.web.samples import METER, NOON, stored_meter

pytestmark = pytest.mark.django_db
SATURDAY = date(2026, 11, 21)
TEMPO = {f"{colour}_{hours}": "0.2" for colour in ("bleu", "blanc", "rouge") for hours in ("hp", "hc")}
NBSP = "\N{NO-BREAK SPACE}"


def hours(meter: Meter, day: date = SATURDAY, now: datetime = NOON) -> list[tuple[str, str, str]]:
    """From, until, and what: of the strip of a day."""
    held = in_force(meter, now)
    return [(part.since, part.until, part.name) for part in strip(held, day, "", names_of(held.contract, "en")).parts]


def index(meter: Meter, number: int, period: str) -> None:
    IndexPeriod.objects.create(meter=meter, index=number, period=period, start_date=LONG_AGO)


# --- the hours of a day ------------------------------------------------------------------------------


def test_the_hours_of_a_tempo_day_begin_with_the_colour_of_the_day_before() -> None:
    meter = stored_meter()
    sign(meter, new_offer("tempo", TEMPO, {}))
    TempoDay.objects.create(day=SATURDAY - timedelta(days=1), colour="rouge", source="user")
    TempoDay.objects.create(day=SATURDAY, colour="blanc", source="user")
    assert [hours(meter), hours(meter, SATURDAY + timedelta(days=2))] == [
        [
            ("00:00", "06:00", "Off-peak hours, red day"),
            ("06:00", "22:00", "Peak hours, white day"),
            ("22:00", "24:00", "Off-peak hours, white day"),
        ],
        [
            ("00:00", "06:00", "Off-peak hours, blue day"),  # of a Sunday
            ("06:00", "22:00", "Peak hours, colour not known yet"),
            ("22:00", "24:00", "Off-peak hours, colour not known yet"),
        ],
    ]


def test_off_peak_slots_follow_their_season_and_their_dates() -> None:
    meter = stored_meter()
    sign(meter, new_offer("hphc", {"hp": "0.2", "hc": "0.1"}, {}))
    change = datetime(2026, 11, 22, tzinfo=ZoneInfo("Europe/Paris"))
    slot = {"meter": meter, "start_date": LONG_AGO}
    OffPeakSlot.objects.create(begins=time(22, 30), ends=time(6, 30), season="winter", end_date=change, **slot)
    OffPeakSlot.objects.create(begins=time(11), ends=time(17), season="summer", **slot)
    OffPeakSlot.objects.create(begins=time(2), ends=time(7), meter=meter, start_date=change)
    assert [hours(meter, day) for day in (SATURDAY, date(2026, 11, 22), date(2026, 7, 1))] == [
        [
            ("00:00", "06:30", "Off-peak hours"),
            ("06:30", "22:30", "Peak hours"),
            ("22:30", "24:00", "Off-peak hours"),
        ],
        [("00:00", "02:00", "Peak hours"), ("02:00", "07:00", "Off-peak hours"), ("07:00", "24:00", "Peak hours")],
        [("00:00", "11:00", "Peak hours"), ("11:00", "17:00", "Off-peak hours"), ("17:00", "24:00", "Peak hours")],
    ]


def test_without_slots_nobody_knows_which_hours_are_cheap() -> None:
    meter = stored_meter()
    sign(meter, new_offer("hphc", {"hp": "0.2", "hc": "0.1"}, {}))
    assert hours(meter) == [("00:00", "24:00", "not known which: Off-peak hours, Peak hours")]


@pytest.mark.parametrize(("day", "length"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_has_the_hours_that_it_has(day: date, length: int) -> None:
    meter = stored_meter()
    sign(meter, new_offer("base", {"base": "0.2"}, {}))
    [whole] = in_force(meter, NOON).day(day)
    assert whole.end - whole.start == length * 3600
    assert hours(meter, day) == [("00:00", "24:00", "All hours")]


def test_now_stands_where_it_is_on_the_strip_of_today_alone() -> None:
    meter = stored_meter()
    sign(meter, new_offer("base", {"base": "0.2"}, {}))
    held = in_force(meter, NOON)
    assert [strip(held, day, "", {}).now for day in (SATURDAY, SATURDAY + timedelta(days=1))] == [541.7, None]


def test_without_a_contract_the_indexes_tell_the_option() -> None:
    meter = stored_meter()
    assert (in_force(meter, NOON).option, hours(meter)) == ("", [])
    index(meter, 1, "hc")
    index(meter, 2, "hp")
    assert in_force(meter, NOON).option == "hphc"
    index(meter, 3, "bleu_hp")
    assert in_force(meter, NOON).option == ""  # they contradict each other


# --- prices ------------------------------------------------------------------------------------------


def test_a_price_says_since_when_until_when_and_who_said_so() -> None:
    meter = stored_meter()
    change = datetime(2027, 1, 31, 23, tzinfo=UTC)  # the first of February in Paris
    offer = new_offer("base", {"base": "0.2"}, {6: "150", 9: "190"}, end_date=change)
    TariffPrice.objects.create(offer=offer, period="base", amount=Decimal("0.21"), start_date=change)
    TariffPrice.objects.filter(period="base", end_date__isnull=False).update(source="CRE", checked_on=date(2026, 11, 1))
    sign(meter, offer)
    assert price_lines(in_force(meter, NOON), {}) == [
        PriceLine(
            "Subscription, 6 kVA", f"150.00{NBSP}€ a year", "Jan. 1, 2000", "Feb. 1, 2027, then not known",
            "entered by the owner",
        ),
        PriceLine(
            "All hours", f"0.2000{NBSP}€ per kWh", "Jan. 1, 2000", f"Feb. 1, 2027, then 0.2100{NBSP}€ per kWh",
            "CRE, checked on Nov. 1, 2026",
        ),
    ]  # fmt: skip


def test_the_price_of_the_contracts_power_counts_before_that_of_any() -> None:
    meter = stored_meter()
    offer = new_offer("base", {}, {0: "100", 9: "190"})
    contract = sign(meter, offer, power=9)
    assert [row.amount for row in prices_of(contract, NOON)] == [Decimal(190)]


# --- the season --------------------------------------------------------------------------------------


def test_a_season_has_twelve_months_of_whole_weeks() -> None:
    known = {SATURDAY: "blanc"}
    months = calendar.months(Season(2026), known, SATURDAY)
    assert [months[0].name, months[-1].name, len(months)] == ["September 2026", "August 2027", 12]
    assert {len(week) for month in months for week in month.weeks} == {7}
    days = [day for month in months for week in month.weeks for day in week if day is not None]
    assert [day.day for day in days] == [date(2026, 9, 1) + timedelta(days=n) for n in range(365)]
    assert [day.text for day in days if day.is_today] == ["21 November: White (today)"]
    assert [day.letter for day in days if day.word] == ["W"]


def test_what_is_left_counts_what_is_known() -> None:
    known = {SATURDAY: "blanc", SATURDAY - timedelta(days=5): "rouge", SATURDAY - timedelta(days=400): "rouge"}
    left = calendar.days_left(Season(2026), known)
    assert [(one.name, one.left, one.of) for one in left] == [("Red", 21, 22), ("White", 42, 43), ("Blue", 300, 300)]
    assert calendar.unknown_before(Season(2026), known, date(2026, 11, 22)) == 30 + 31 + 21 - 2


@pytest.mark.parametrize(
    ("now", "day"),
    [("2026-11-21T04:59Z", "2026-11-20"), ("2026-11-21T05:00Z", "2026-11-21"), ("2026-10-25T05:00Z", "2026-10-25")],
)
def test_a_tempo_day_begins_at_six_in_paris(now: str, day: str) -> None:
    assert current_day(datetime.fromisoformat(now)) == date.fromisoformat(day)


# --- the page ----------------------------------------------------------------------------------------


def text(client: Client, path: str = "/tempo/") -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode()))


def test_before_the_first_reading_it_says_what_to_look_at(browser: Client) -> None:
    assert "No reading yet" in text(browser)


def test_a_meter_that_nobody_knows_is_said_to_be_unknown(browser: Client) -> None:
    assert browser.get("/tempo/?meter=x").status_code == 404


def test_without_anything_known_it_says_the_next_step(browser: Client) -> None:
    meter = stored_meter()
    answer = browser.get("/tempo/").content.decode()
    assert "No contract is entered for this meter, so no price is known." in answer
    assert f'<a href="/settings/contract/?meter={meter.meter_id}">Enter the contract</a>' in answer


def test_base_says_that_there_is_nothing_to_watch(browser: Client) -> None:
    sign(stored_meter(), new_offer("base", {"base": "0.2"}, {}))
    shown = text(browser)
    assert "Base: every hour of every day costs the same" in shown
    assert ("Season 20" in shown, "Correct a day" in shown) == (False, False)


def test_an_offer_of_its_own_shows_its_rules(browser: Client) -> None:
    offer = new_offer("other", {"weekend": "0.1", "week": "0.2"}, {}, code="own")
    CalendarRule.objects.create(offer=offer, rank=1, period="weekend", days="weekend", season="summer")
    CalendarRule.objects.create(offer=offer, rank=2, period="week", hours="clock", begins=time(6), ends=time(1))
    sign(stored_meter(), offer)
    shown = text(browser)
    assert "weekend : Saturday and Sunday, all hours, summer (April to October)" in shown
    assert "week : every day, 06:00–01:00" in shown


def test_ejp_counts_its_days(browser: Client) -> None:
    offer = new_offer("ejp", {"hn": "0.1", "pm": "0.9"}, {})
    sign(stored_meter(), offer)
    first = Season.of(timezone.now().date()).first
    EventDay.objects.create(offer=offer, day=first, is_event=True)
    assert "21 of 22 event days left; known so far: 1." in text(browser)


def test_tempo_says_who_told_each_colour(browser: Client) -> None:
    sign(stored_meter(), new_offer("tempo", TEMPO, {}))
    today = current_day(timezone.now())
    TempoDay.objects.create(day=today, colour="bleu", source=f"meter ...{METER[-4:]}")
    shown = text(browser)
    assert "meter ...0001: the index that ran: days: 1" in shown
    assert "22 of 22 left: Red" in shown
    assert "(today)" in shown


# --- the owner's word --------------------------------------------------------------------------------


def said(client: Client, day: date, colour: str) -> tuple[int, list[str]]:
    answer = client.post("/tempo/?meter=" + METER, {"day": day.isoformat(), "colour": colour})
    told = [str(message) for message in get_messages(answer.wsgi_request)]
    return answer.status_code, told[-1:]  # nobody looked at those before


@pytest.fixture
def tempo_house() -> Meter:
    meter = stored_meter()
    sign(meter, new_offer("tempo", TEMPO, {}))
    TempoDay.objects.create(day=date(2026, 1, 13), colour="bleu", source="meter ...0001")
    return meter


@pytest.mark.usefixtures("tempo_house")
def test_the_owner_corrects_a_day_and_takes_it_back(browser: Client) -> None:
    day = date(2026, 1, 13)  # a Tuesday
    assert said(browser, day, "rouge") == (302, ["Jan. 13, 2026 is Red now; it was: Blue."])
    assert TempoDay.objects.values_list("day", "colour", "source").get() == (day, "rouge", "user")
    DirtyDays.objects.all().delete()
    assert said(browser, day, "") == (302, ["Jan. 13, 2026: your entry is gone; what the meter tells counts again."])
    assert (TempoDay.objects.count(), DirtyDays.objects.count()) == (0, 1)  # the meters are asked again


def test_what_a_meter_told_is_not_taken_back(tempo_house: Meter) -> None:
    assert (tell(date(2026, 1, 13), ""), TempoDay.objects.count()) == ("bleu", 1)


@pytest.mark.usefixtures("tempo_house")
@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        (date(2026, 1, 11), "Red days are working days from November to March; Sundays are blue."),
        (date(2100, 1, 4), "Colours are told a day ahead: nobody knows that of a later day."),
        (date(1900, 1, 4), "Colours are told a day ahead: nobody knows that of a later day."),
    ],
)
def test_a_colour_that_cannot_be_is_refused(browser: Client, day: date, sentence: str) -> None:
    answer = browser.post("/tempo/", {"day": day.isoformat(), "colour": "rouge"})
    assert (answer.status_code, sentence in answer.content.decode()) == (400, True)
    assert TempoDay.objects.filter(colour="rouge").count() == 0


@pytest.mark.usefixtures("tempo_house")
def test_who_may_only_look_sees_no_form_and_changes_nothing() -> None:
    user = User.objects.create_user("guest", password="correct horse battery")
    user.user_permissions.add(Permission.objects.get(codename="view_tempoday"))
    client = Client(headers={"accept-language": "en"})
    client.force_login(user)
    assert "Correct a day" not in text(client)
    assert [said(client, date(2026, 1, 13), colour)[0] for colour in ("rouge", "")] == [403, 403]
    assert TempoDay.objects.get().colour == "bleu"


def test_an_offer_without_prices_says_the_next_step(browser: Client) -> None:
    offer = Offer.objects.create(code="empty", name="Empty", option="base")
    sign(stored_meter(), offer)
    answer = browser.get("/tempo/").content.decode()
    assert f'<a href="/settings/contract/offers/{offer.pk}/">Enter its prices</a>' in answer
