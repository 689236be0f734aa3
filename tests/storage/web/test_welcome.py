"""The first visit: asked once, left at any step, and a contract at its end."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from storage.models import Meter
from storage.tariffs.models import Contract, IndexPeriod
from storage.web.accounts import login_link
from tests.storage.operations.samples import INFO
from tests.storage.tariffs.samples import LONG_AGO, hour, new_meter
from tests.storage.web.conftest import Site


@pytest.fixture
def meter(db: None) -> Meter:
    made = new_meter()
    Meter.objects.update(power=6, phases=1)
    hour(made, datetime(2026, 5, 1, tzinfo=UTC), east=500).save()
    for index, period in enumerate(("hc", "hp"), 1):
        IndexPeriod.objects.create(meter=made, index=index, label=period, period=period, start_date=LONG_AGO)
    return made


def entered(user: User) -> str:
    """Where a login leads."""
    user.last_login = (user.last_login or LONG_AGO) + timedelta(days=1)
    user.save()
    where: str = Client().get(login_link(user)).headers["location"]
    user.refresh_from_db()
    return where


def test_the_first_login_leads_there_once(meter: Meter, owner: User) -> None:
    assert [entered(owner), entered(owner)] == ["/welcome/", "/"]


def test_nobody_is_asked_without_a_meter_or_a_right_to_answer(owner: User) -> None:
    assert entered(owner) == "/"
    new_meter()
    assert entered(User.objects.create_user("reader")) == "/"
    assert entered(owner) == "/welcome/"


def test_three_steps_lead_to_a_contract(meter: Meter, browser: Client) -> None:
    assert "6 kVA subscribed" in browser.get("/welcome/").content.decode()
    answer = browser.post("/welcome/?step=1", {"name": "Maison"})
    assert answer.headers["location"] == f"/welcome/?step=2&meter={meter.meter_id}"
    step = browser.get("/welcome/?step=2")
    form = step.context["form"]
    assert "Peak / off-peak hours" in step.content.decode()
    answer = browser.post("/welcome/?step=2", {name: form.initial[name] for name in ("offer", "power", "since")})
    assert answer.headers["location"] == f"/welcome/?step=3&meter={meter.meter_id}"
    made = Contract.objects.get()
    assert (made.offer.code, made.power, str(made.meter)) == ("tarif-bleu-hphc", 6, "Maison")
    assert made.start_date == datetime(2026, 4, 30, 22, tzinfo=UTC)
    assert "is not known" in browser.get("/welcome/?step=3").content.decode()
    assert browser.post("/welcome/?step=3").headers["location"] == "/"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "Whether Home Assistant itself listens is not known here"),
        ({"birth": None}, "Home Assistant has not been heard yet: nothing came on homeassistant/status."),
        ({"birth": "2026-11-21T10:30:00+00:00"}, "Home Assistant was there on 21 Nov. 2026 11:30, on the same broker."),
        ({"birth": "no date"}, "Home Assistant has not been heard yet"),
    ],
    ids=["no bridge", "not heard", "heard", "nonsense"],
)
def test_the_last_step_says_what_the_bridges_know_of_home_assistant(
    site: Site, said: dict[str, Any], expected: str
) -> None:
    new_meter()
    if said:
        site.fleet.hear("linky/bridge/pi/status", b"online")
        site.fleet.hear("linky/bridge/pi/info", json.dumps(INFO | said).encode())

    async def ask() -> str:
        async with site.get("/welcome/?step=3") as answer:
            return await answer.text()

    assert expected in asyncio.run(ask())
