"""Rows as a stream."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any, Final

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import connections
from django.test import AsyncClient
from rest_framework.test import APIClient

from storage.models import Data, Epoch
from tests.storage.api.conftest import client_of
from tests.storage.web.samples import NOON, stored, stored_meter

pytestmark = pytest.mark.django_db
URL: Final = "/api/v1/export/"
DAY: Final = {"from": "2026-11-21", "to": "2026-11-21", "step": "raw"}


@pytest.fixture
def client() -> APIClient:
    meter = stored_meter()
    for n in range(1, 4):
        stored(meter, NOON + n * timedelta(seconds=1), n, east=1000 + n, ltarf="=1+1" if n == 2 else "BASE")
    return client_of(User.objects.create(username="owner", is_superuser=True))


def lines(found: Any) -> list[str]:  # Django's answer
    assert found.status_code == 200, found.content
    return b"".join(found.streaming_content).decode().splitlines()


def test_csv_is_saved_under_a_name_and_holds_no_formula(client: APIClient) -> None:
    found = client.get(URL, DAY)
    assert found["content-type"] == "text/csv; charset=utf-8"
    assert found["content-disposition"].startswith('attachment; filename="ticbridge-raw-')
    head, *rows = lines(found)
    assert head.startswith("time,meter,date,ltarf,ntarf,east")
    assert [row.split(",")[0] for row in rows] == [f"2026-11-21T13:00:0{n}+01:00" for n in range(1, 4)]
    assert [row.split(",")[3] for row in rows] == ["BASE", "'=1+1", "BASE"]


def test_a_french_spreadsheet_opens_it(client: APIClient) -> None:
    head, first, *_ = lines(client.get(URL, {**DAY, "excel_fr": "1"}))
    assert head.startswith("\ufefftime;meter;")
    assert first.startswith("21/11/2026 13:00:01;")


def test_json_lines(client: APIClient) -> None:
    found = client.get(URL, {**DAY, "file": "jsonl", "tz": "UTC"})
    assert found["content-type"] == "application/x-ndjson"
    rows = [json.loads(line) for line in lines(found)]
    assert [(row["time"], row["east"]) for row in rows] == [
        (f"2026-11-21T12:00:0{n}+00:00", 1000 + n) for n in range(1, 4)
    ]


def test_roll_ups_have_their_own_columns(client: APIClient) -> None:
    (head,) = lines(client.get(URL, {**DAY, "step": "hour"}))
    assert head.startswith("time,meter,origin,readings")


@pytest.mark.django_db(transaction=True)
def test_the_server_gets_it_piece_by_piece(client: APIClient) -> None:
    """As ASGI servers read it: a plain iterator would be read whole first, and Django warns of it."""
    meter, epoch = Data.objects.get(seq=1).meter, Epoch.objects.get()
    Data.objects.bulk_create(
        Data(meter=meter, epoch=epoch, seq=n, dateTime=NOON + n * timedelta(seconds=1), east=n) for n in range(4, 1204)
    )
    user = User.objects.get()

    async def pieces() -> list[bytes]:
        browser = AsyncClient()
        await browser.aforce_login(user)
        found: Any = await browser.get(URL, DAY)
        read = [piece async for piece in found.streaming_content]
        await sync_to_async(connections.close_all)()  # a server's request ends with it, a test client's does not
        return read

    found = asyncio.run(pieces())
    assert [piece.count(b"\r\n") for piece in found] == [501, 500, 203]
