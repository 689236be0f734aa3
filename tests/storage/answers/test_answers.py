"""Each answer against the question that it asks the store, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from storage import queries
from storage.answers.views import ANSWERS
from storage.models import Meter
from storage.tokens.models import Token
from tests.storage.api.conftest import client_of
from tests.storage.engine import REGISTERS, Said
from tests.storage.queries.histories import ms_of, write

pytestmark = pytest.mark.django_db
START: Final = datetime(2026, 11, 20, 11, tzinfo=UTC)  # noon in Paris
SPAN: Final = {"from": "2026-11-20T12:00", "to": "2026-11-20T15:00"}
URL: Final = "/api/v1/{}/"


@pytest.fixture
def meter() -> Meter:
    """Three hours, a reading each ten seconds, ten minutes of silence in the second; 1 Wh each."""
    none: dict[str, int | None] = dict.fromkeys(REGISTERS)
    return write(
        [
            Said(ms_of(START) + 10_000 * n, {**none, "east": 1000 + n, "sinsts": 300 + n % 7, "sinsti": 0})
            for n in range(1080)
            if not 400 <= n < 460
        ]
    )


@pytest.fixture
def client(meter: Meter) -> APIClient:
    return client_of(User.objects.create(username="owner", is_superuser=True))


def answer(client: APIClient, name: str, **question: Any) -> Any:
    found = client.get(URL.format(name), question)
    assert found.status_code == 200, found.content
    return found.json()


def test_series_are_what_the_store_says(client: APIClient, meter: Meter) -> None:
    found = answer(client, "series", **SPAN, fields="sinsts,east", step=3600)
    assert (found["from"], found["to"]) == ("2026-11-20T12:00:00+01:00", "2026-11-20T15:00:00+01:00")
    power, energy = found["series"]
    curve = queries.curve(meter, START, START + timedelta(hours=3), step=3600)
    assert power["points"] == [
        [f"2026-11-20T{12 + n}:00:00+01:00", p.low, round(p.mean, 1), p.high] for n, p in enumerate(curve.points)
    ]
    assert (power["unit"], power["step"], len(power["points"])) == ("VA", 3600, 3)
    assert energy["points"] == [
        ["2026-11-20T12:00:00+01:00", 360, False], ["2026-11-20T13:00:00+01:00", 360, False],
        ["2026-11-20T14:00:00+01:00", 359, False],
    ]  # fmt: skip


def test_a_series_has_at_most_two_thousand_points_and_loses_no_peak(client: APIClient) -> None:
    (power,) = answer(client, "series", **SPAN)["series"]
    assert 100 < len(power["points"]) <= queries.MAX_POINTS
    assert max(point[3] for point in power["points"]) == 306
    assert min(point[1] for point in power["points"]) == 300


def test_totals_of_a_span_and_of_its_days(client: APIClient) -> None:
    (whole,) = answer(client, "totals", **{"from": "2026-11-20T12:00", "to": "2026-11-20T12:30"})["totals"]
    assert (whole["drawn"], whole["injected"], whole["tariffs"]) == (180, None, [None] * 10)
    days = answer(client, "totals", **{"from": "2026-11-20", "to": "2026-11-20"}, by="day")["totals"]
    assert [(day["start"], day["drawn"]) for day in days] == [("2026-11-20T00:00:00+01:00", 1079)]


def test_now_is_the_newest_that_is_stored_where_nothing_is_live(client: APIClient) -> None:
    found = answer(client, "now")
    assert (found["at"], found["live"], found["online"]) == ("2026-11-20T14:59:50+01:00", False, None)
    assert found["values"]["east"] == 2079


def test_silences_indexes_peaks_and_habits(client: APIClient) -> None:
    (silence,) = answer(client, "silences", **SPAN)["silences"]
    assert (silence["begins"], silence["ends"]) == ("2026-11-20T13:06:30+01:00", "2026-11-20T13:16:40+01:00")
    assert answer(client, "indexes", at="2026-11-20T12:00:25")["east"]["value"] == 1002
    assert [one["high"] for one in answer(client, "peaks", **SPAN, n=2)["peaks"]] == [306, 306]
    profile = answer(client, "profile", **SPAN)
    assert profile["cells"][4][12] == {"hours": 1, "mean": 360.0, "high": 360}
    assert profile["standby"] is None


def test_costs_and_comparison_say_what_is_not_known(client: APIClient) -> None:
    days = {"from": "2026-11-20", "to": "2026-11-20"}
    (cost,) = answer(client, "costs", **days)["costs"]
    assert (cost["first"], cost["complete"], cost["known"]) == ("2026-11-20", False, "0")
    found = answer(client, "comparison", **days)
    assert (found["wh"], found["paid"], found["power"]) == (1079, None, None)
    assert [quote["name"] for quote in found["quotes"]]  # the shipped prices


def test_a_zone_may_be_asked_for(client: APIClient) -> None:
    found = answer(client, "series", **SPAN, tz="UTC", step=3600)
    assert found["from"] == "2026-11-20T12:00:00+00:00"


@pytest.mark.parametrize(
    ("name", "question", "field", "words"),
    [
        ("series", {}, "from", "required"),
        ("series", {"from": "noon"}, "from", "expected a date"),
        ("series", {"from": "2026-11-20", "to": "2026-11-19"}, "to", "is not after"),
        ("series", {"from": "1999-01-01"}, "from", "more than 20 years"),
        ("series", {**SPAN, "fields": "password"}, "fields", "'password' is no column"),
        ("series", {**SPAN, "fields": "east,easf01,easf02,easf03,easf04,easf05,easf06,easf07,easf08"}, "fields", "8"),
        ("series", {**SPAN, "step": "1"}, "step", "more than 2000 slices"),
        ("series", {**SPAN, "step": "61", "fields": "east"}, "step", "expected one of 60, 1800, 3600, 86400"),
        ("series", {"from": "2020", "to": "2026", "step": "3600", "fields": "east"}, "step", "more than 2000 slices"),
        ("series", {**SPAN, "colour": "red"}, "colour", "expected meter, tz, from, to, fields, step"),
        ("series", {**SPAN, "tz": "Mars/North"}, "tz", "no time zone"),
        ("series", {**SPAN, "tz": "../../etc/passwd"}, "tz", "no time zone"),
        ("series", {**SPAN, "meter": "999999999999"}, "meter", "there is no meter"),
        ("totals", {**SPAN, "by": "week"}, "by", "'day', 'month' or 'tempo_day'"),
        ("totals", {"from": "2010", "to": "2026", "by": "day"}, "from", "more than 1098 days"),
        ("peaks", {**SPAN, "n": "101"}, "n", "less than or equal to 100"),
        ("export", {**SPAN, "step": "week"}, "step", "'raw'"),
    ],
)
def test_what_is_asked_wrongly_is_named(
    client: APIClient, name: str, question: dict[str, str], field: str, words: str
) -> None:
    found = client.get(URL.format(name), question)
    assert found.status_code == 400
    said = found.json()
    assert list(said) == [field]
    assert words in str(said[field])


def test_of_several_meters_one_must_be_named(client: APIClient, meter: Meter) -> None:
    write([Said(ms_of(START), {**dict.fromkeys(REGISTERS), "east": 5, "sinsts": 1, "sinsti": 0})], "042161000002")
    assert client.get(URL.format("now")).json() == {"meter": ["there are several: say which"]}
    assert answer(client, "now", meter=meter.meter_id)["meter"] == meter.meter_id


def test_without_a_meter_or_a_reading() -> None:
    client = client_of(User.objects.create(username="owner", is_superuser=True))
    assert client.get(URL.format("now")).json() == {"meter": ["there is no meter yet"]}
    Meter.objects.create(meter_id="m", mode="standard", timezone="Europe/Paris")
    assert client.get(URL.format("now")).status_code == 404


@pytest.mark.parametrize("name", [spec.name for spec in ANSWERS] + ["export"])
def test_who_may_not_view_what_it_is_made_of_is_refused(meter: Meter, name: str) -> None:
    question = {} if name in ("now", "indexes") else SPAN
    assert client_of(None).get(URL.format(name), question).status_code == 401
    user = User.objects.create(username="stranger")
    assert client_of(user).get(URL.format(name), question).status_code == 403
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    found = client_of(User.objects.get()).get(URL.format(name), question)
    assert found.status_code == 200
    assert client_of(User.objects.get()).post(URL.format(name), question).status_code in (403, 405)


def test_a_token_for_live_values_opens_no_history(meter: Meter) -> None:
    owner = User.objects.create(username="owner", is_superuser=True)
    _, text = Token.issue(owner, "display", ["live"])
    client = APIClient(headers={"authorization": f"Bearer {text}"})
    assert client.get(URL.format("now")).status_code == 200
    assert client.get(URL.format("series"), SPAN).status_code == 403


def test_more_time_takes_no_more_queries(client: APIClient, django_assert_max_num_queries: Any) -> None:
    for days in (SPAN, {"from": "2024-01-01", "to": "2026-11-20"}):
        with django_assert_max_num_queries(14):
            answer(client, "series", **days)
