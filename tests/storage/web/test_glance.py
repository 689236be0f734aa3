"""Today at a glance, at 13:00 of a Saturday in Paris."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from bridge.simulated.meter import read_plan
from storage.models import Meter, Rollup
from storage.seed import seed
from storage.seed.contracts import sign as sign_demo
from storage.tariffs.daily import reckon
from storage.tariffs.models import DayCost, OffPeakSlot
from storage.web.glance import glance
from tests.storage.tariffs.samples import LONG_AGO, hour, new_offer, sign
from tests.storage.web.samples import NOON, stored_meter

pytestmark = pytest.mark.django_db
PARIS = ZoneInfo("Europe/Paris")
NBSP = "\N{NO-BREAK SPACE}"
MIDNIGHT = datetime(2026, 11, 21, tzinfo=PARIS)


def fill(meter: Meter, start: datetime, hours: int, wh: int) -> None:
    first = start.astimezone(UTC)
    Rollup.objects.bulk_create(hour(meter, first + timedelta(hours=n), east=wh, eait=wh // 10) for n in range(hours))


def saturdays(meter: Meter, wh: int) -> None:
    for weeks in range(1, 4):
        fill(meter, MIDNIGHT - timedelta(weeks=weeks), 24, wh)


def cost(meter: Meter, day: datetime, amount: Decimal | None) -> None:
    DayCost.objects.create(meter=meter, day=day, period="base", wh=1, amount=amount)


def test_today_is_compared_with_yesterday_at_this_time_and_with_the_usual_day() -> None:
    meter = stored_meter()
    fill(meter, MIDNIGHT, 13, 300)
    fill(meter, MIDNIGHT - timedelta(days=1), 24, 400)
    saturdays(meter, 200)
    sign(meter, new_offer("base", {"base": "0.2"}, {6: "100"}))
    cost(meter, MIDNIGHT, Decimal("1.239"))
    cost(meter, MIDNIGHT - timedelta(days=1), Decimal("2.5"))
    assert glance(meter, "BASE", NOON) == {
        "until": "",
        "price": f"0.2000{NBSP}€ per kWh",
        "today_energy": f"3.9{NBSP}kWh",
        "today_injected": f"0.4{NBSP}kWh injected",
        "against_yesterday": f"1.3{NBSP}kWh less than yesterday at this time",
        "against_usual": f"1.3{NBSP}kWh more than on a usual Saturday",
        "today_cost": f"1.24{NBSP}€",
        "cost_detail": f"subscription included; all of yesterday: 2.50{NBSP}€",
    }


def test_what_is_not_known_is_not_made_up() -> None:
    meter = stored_meter()
    assert glance(meter, "", NOON) == {
        "until": "",
        "price": "",
        "today_energy": "–",
        "today_injected": "",
        "against_yesterday": "",
        "against_usual": "",
        "today_cost": "–",
        "cost_detail": "No contract is entered: what it costs is not known.",
    }


def test_a_difference_that_the_figure_does_not_show_is_none() -> None:
    meter = stored_meter()
    fill(meter, MIDNIGHT, 13, 300)
    fill(meter, MIDNIGHT - timedelta(days=1), 24, 303)
    saturdays(meter, 298)
    cells = glance(meter, "", NOON)
    assert (cells["against_yesterday"], cells["against_usual"]) == (
        "as much as yesterday at this time", "as much as on a usual Saturday",
    )  # fmt: skip


def test_a_part_of_an_hour_counts_in_proportion() -> None:
    meter = stored_meter(raw_since=NOON + timedelta(days=1))  # no reading is left: an hour's part is its share
    fill(meter, MIDNIGHT, 14, 300)
    saturdays(meter, 300)
    half = glance(meter, "", NOON + timedelta(minutes=30))["against_usual"]
    assert half == "as much as on a usual Saturday"


def test_one_saturday_is_no_habit() -> None:
    meter = stored_meter()
    fill(meter, MIDNIGHT, 13, 300)
    fill(meter, MIDNIGHT - timedelta(weeks=1), 24, 200)
    assert glance(meter, "", NOON)["against_usual"] == ""


def test_a_cost_that_is_not_known_says_why() -> None:
    meter = stored_meter()
    sign(meter, new_offer("base", {"base": "0.2"}, {}))
    said = [glance(meter, "", NOON)]
    cost(meter, MIDNIGHT, None)
    said.append(glance(meter, "", NOON))
    assert [(cells["today_cost"], cells["cost_detail"]) for cells in said] == [
        ("–", "Today's costs are not reckoned yet."),
        ("–", "A price or the meaning of an index is not known."),
    ]


def test_off_peak_slots_tell_until_when_where_the_meter_does_not() -> None:
    meter = stored_meter()
    sign(meter, new_offer("hphc", {"hp": "0.25", "hc": "0.15"}, {}))
    assert glance(meter, "HP", NOON)["until"] == ""  # no slot is known
    OffPeakSlot.objects.create(meter=meter, begins=time(22, 30), ends=time(6, 30), start_date=LONG_AGO)
    said = [glance(meter, "HP", NOON), glance(meter, "??", NOON + timedelta(hours=11))]
    assert [(cells["until"], cells["price"]) for cells in said] == [
        ("until 22:30", f"0.2500{NBSP}€ per kWh"), ("until 06:30", f"0.1500{NBSP}€ per kWh"),
    ]  # fmt: skip


def test_a_house_that_was_seeded_knows_today_at_once() -> None:
    now = datetime(2026, 10, 26, 10, 20, 17, tzinfo=UTC)
    plan = read_plan("tempo")[0]
    seed(plan, now, days=2)
    meter = Meter.objects.get()
    sign_demo(plan, now - timedelta(days=2))
    list(reckon())
    cells = glance(meter, "", now)
    assert cells["today_energy"].endswith(f"{NBSP}kWh")
    assert cells["today_cost"].endswith(f"{NBSP}€")
    assert "all of yesterday" in cells["cost_detail"]


def test_hours_that_were_not_heard_leave_a_cost_that_is_at_least_so_much() -> None:
    meter = stored_meter()
    sign(meter, new_offer("base", {"base": "0.2"}, {6: "100"}))
    cost(meter, MIDNIGHT, Decimal("1.239"))
    DayCost.objects.create(meter=meter, day=MIDNIGHT, period="?")
    cells = glance(meter, "BASE", NOON)
    assert cells["today_cost"] == f"1.24{NBSP}€"
    assert cells["cost_detail"] == "at least: some hours were not heard"
