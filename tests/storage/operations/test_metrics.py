"""`/metrics`, read as Prometheus reads it."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from storage import budget
from storage.alerts.meanings import Kind
from storage.alerts.models import Alert, AlertRule
from storage.models import DeadLetter, Dirty, Epoch, Gap, Rollup
from storage.operations.metrics import exposition
from storage.rights import Rights
from storage.tokens.models import Token
from tests.storage.operations.samples import INFO, told
from tests.storage.web.samples import METER, NOON, stored, stored_meter

pytestmark = pytest.mark.django_db
ROOT: Final = Path(__file__).parents[3]

Labels = tuple[tuple[str, str], ...]
Told = dict[tuple[str, Labels], float]


def samples(text: bytes) -> Told:
    """Each line, and that none comes twice."""
    lines = [
        ((sample.name, tuple(sorted(sample.labels.items()))), sample.value)
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    ]
    assert len(dict(lines)) == len(lines)
    return dict(lines)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch, client: Client) -> Told:
    """Everything there is to tell."""
    monkeypatch.setattr(budget, "measure", lambda _: budget.Room(900, 1000, 5))
    client.get("/healthz/live")
    meter = stored_meter()
    stored(meter, NOON, 1, east=1)
    stored(meter, NOON + timedelta(seconds=5), 2, east=2)
    epoch = Epoch.objects.get()
    epoch.handled = 2
    epoch.save()
    Gap.objects.create(epoch=epoch, first=3, last=7)
    Gap.objects.create(epoch=epoch, first=9, last=9)
    Gap.objects.create(epoch=epoch, reason=Gap.Reason.STOPPED, begins=NOON, ends=NOON)
    DeadLetter.objects.create(topic="linky/x/reading", body=b"x", reason="no envelope")
    Dirty.objects.create(meter=meter, hour=NOON, first=0, last=1)
    rule = AlertRule.objects.create(name="cold", kind=Kind.SILENT, value=10)
    Alert.objects.create(
        rule=rule, meter=meter, subject=rule.subject, since=NOON, seen=NOON, state=Alert.State.RAISED, value=12, peak=15
    )
    fleet = told(("bridge/pi/status", "online"), ("bridge/pi/info", json.dumps(INFO)), ("store/a1/status", "offline"))
    fleet.connected = True
    return samples(exposition(fleet, Rights()))


def test_it_tells_what_the_database_holds_and_what_bridges_say(full: Told) -> None:

    def value(name: str, **labels: str) -> float:
        return full[name, tuple(sorted(labels.items()))]

    assert value("ticbridge_meter_last_reading_timestamp_seconds", meter=METER) == NOON.timestamp() + 5
    assert value("ticbridge_store_readings_handled_total", meter=METER) == 2
    assert value("ticbridge_gaps", meter=METER, reason="dropped") == 2
    assert value("ticbridge_gaps_readings", meter=METER, reason="dropped") == 6
    assert value("ticbridge_gaps", meter=METER, reason="stopped") == 1
    assert value("ticbridge_gaps_readings", meter=METER, reason="stopped") == 0
    assert value("ticbridge_dead_letters") == 1
    assert value("ticbridge_alerts_raised", meter=METER) == 1
    assert [value("ticbridge_messages_waiting", kind=kind) for kind in ("alert", "webhook")] == [0, 0]
    assert value("ticbridge_rollups_waiting", meter=METER) == 1
    names = ("bytes", "budget_bytes", "disk_free_bytes")
    assert [value(f"ticbridge_database_{name}") for name in names] == [900, 1000, 5]
    assert value("ticbridge_broker_connected") == 1
    assert (value("ticbridge_bridge_up", bridge="pi"), value("ticbridge_store_up", store="a1")) == (1, 0)
    assert value("ticbridge_bridge_info", bridge="pi", version="1.0") == 1
    assert value("ticbridge_spool_depth", bridge="pi") == 12
    assert value("ticbridge_spool_dropped_total", bridge="pi") == 4
    assert value("ticbridge_spool_trouble", bridge="pi") == 0
    line = {"bridge": "pi", "meter": METER}
    assert [value(f"ticbridge_{name}", **line) for name in ("source_open", "frames_total", "accepted_total")] == [
        1, 900, 880,
    ]  # fmt: skip
    assert value("ticbridge_groups_refused_total", **line, reason="checksum") == 3


@pytest.mark.sqlite  # PostgreSQL's own estimate follows later
def test_rows_are_counted_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr("storage.rows.ROWS._counted", {})
    monkeypatch.setattr("storage.rows.monotonic", lambda: now)
    meter = stored_meter()
    name = ("ticbridge_database_rows", (("table", "rollup"),))
    assert samples(exposition(None, Rights()))[name] == 0
    Rollup.objects.create(meter=meter, step=60, start=NOON)
    now = 599.0
    assert samples(exposition(None, Rights()))[name] == 0
    now = 600.0
    assert samples(exposition(None, Rights()))[name] == 1


def test_more_meters_take_no_more_queries() -> None:
    counts = []
    for number in range(2):
        for n in range(1, 4):
            stored_meter(f"0421610{number:02}{n:03}")
        with CaptureQueriesContext(
            connection,
        ) as seen:
            exposition(None, Rights())
        counts.append(sum("COUNT(*)" not in query["sql"] for query in seen))
    assert counts[0] == counts[1]


def test_requests_are_counted_by_route_and_not_by_address() -> None:
    client = Client()
    before = samples(exposition(None, Rights()))
    for path in ("/healthz/live", "/nothing/here", "/nothing/there"):
        client.get(path)
    client.generic("BREW", "/healthz/live")
    after = samples(exposition(None, Rights()))
    risen = {key: after[key] - before.get(key, 0) for key in after if key[0] == "ticbridge_http_requests_total"}
    assert {key[1]: rise for key, rise in risen.items() if rise} == {
        (("method", "GET"), ("route", "/healthz/live"), ("status", "200")): 1,
        (("method", "GET"), ("route", "none"), ("status", "404")): 2,
        (("method", "other"), ("route", "/healthz/live"), ("status", "405")): 1,
    }


def test_it_takes_a_login_for_a_meters_number_is_personal(client: Client) -> None:
    assert client.get("/metrics").status_code == 302
    anna = User.objects.create_user("anna")
    for scopes, status in ((["live"], 403), (["history"], 200)):
        _, text = Token.issue(anna, "prometheus", scopes)
        assert client.get("/metrics", headers={"authorization": f"Bearer {text}"}).status_code == status
    client.force_login(anna)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    assert answer["content-type"].startswith("text/plain; version=0.0.4")
    samples(answer.content)


def test_the_page_of_the_reference_names_each_and_no_other(full: Told) -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    listed = set(re.findall(r"^\| `(ticbridge_\w+)", page, re.MULTILINE))
    assert listed == {stem(name) for name, _ in full}


def test_the_dashboard_asks_for_what_there_is(full: Told) -> None:
    board: dict[str, Any] = json.loads((ROOT / "deploy" / "grafana" / "ticbridge.json").read_text())
    known = {name for name, _ in full}
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]
    named = {name for expression in asked for name in re.findall(r"ticbridge_\w+", expression)}
    assert named <= known
    assert len(asked) > 10
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


def stem(name: str) -> str:
    """A histogram is one metric of three kinds of lines."""
    return re.sub(r"_duration_seconds_(bucket|count|sum)$", "_duration_seconds", name)
