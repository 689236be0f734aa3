"""`/healthz`: open to everybody, and tells nobody a number or an address."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from storage import budget
from storage.operations import health as subject
from storage.operations.health import Health, Migrated, health
from tests.storage.operations.samples import told
from tests.storage.web.samples import stored, stored_meter

pytestmark = pytest.mark.django_db


def test_alive_is_whoever_answers(client: Client) -> None:
    with_database = client.get("/healthz/live")
    assert (with_database.status_code, with_database.json()) == (200, {"live": True})


def test_ready_without_a_warning() -> None:
    stored(stored_meter(), timezone.now(), 1)
    fleet = told(("bridge/pi/status", "online"), ("store/a1/status", "online"))
    fleet.connected = True
    assert health(fleet) == Health(())


def test_what_is_missing_is_a_sentence_and_no_failure(client: Client) -> None:
    fleet = told()
    assert health(fleet).warnings == (
        "No connection to the broker: nothing is live (mqtt.host, mqtt.password_file)", "No reading was stored yet",
    )  # fmt: skip
    fleet.connected = True
    stored(stored_meter(), timezone.now() - timedelta(minutes=40, seconds=9), 1)
    assert health(fleet).warnings == (
        "No store is there: readings wait at the bridges (ticbridge store)",
        "No bridge is there: nobody reads a meter (ticbridge bridge)",
        "No reading was stored for 40 minutes",
    )
    answer = client.get("/healthz")
    assert (answer.status_code, answer["cache-control"]) == (200, answer["cache-control"])
    assert answer.json() == {
        "live": True, "ready": True, "reasons": [], "warnings": ["No reading was stored for 40 minutes"],
    }  # fmt: skip
    assert "no-store" in answer["cache-control"]


def test_a_database_that_is_away_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any) -> None:
        raise OperationalError('connection to server at "db.example" failed')

    monkeypatch.setattr(Migrated, "done", True)
    monkeypatch.setattr(connection, "cursor", away)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["reasons"]) == (
        503, ["The database does not answer: is it there, and not full?"],
    )  # fmt: skip
    assert b"example" not in answer.content


def test_an_older_database_is_told_until_it_is_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [False, True]

    monkeypatch.setattr(Migrated, "done", False)
    monkeypatch.setattr(subject, "behind", answers.pop)
    assert health(None).reasons == ("The database is not up to date: start the store, or run ticbridge manage migrate",)
    assert [health(None).ready for _ in range(3)] == [True, True, True]
    assert answers == []


def test_little_room_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "measure", lambda _: budget.Room(900, 1000, None))
    assert "storage.budget" in " ".join(health(None).warnings)
