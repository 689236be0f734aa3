"""The tables as the owner may look at them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from storage.admin import _ShortCount
from storage.models import Data, DeadLetter, Epoch, Gap, Meter
from tests.storage.web.samples import stored, stored_meter


@pytest.mark.parametrize("model", ["meter", "data", "epoch", "gap", "deadletter"])
def test_each_table_can_be_looked_at(browser: Client, model: str) -> None:
    meter = stored_meter()
    row = stored(meter, timezone.now(), 1, sinsts=1)
    Gap.objects.create(epoch=row.epoch, first=2, last=3)
    DeadLetter.objects.create(topic="linky/x/reading", body=b"\xff{", reason="no envelope")
    assert browser.get(f"/admin/storage/{model}/").status_code == 200


@pytest.mark.parametrize(
    ("model", "may"),
    [(Meter, [False, True, False]), (Data, [False] * 3), (Epoch, [False] * 3), (Gap, [False] * 3)],
)
def test_what_meters_said_is_only_read(browser: Client, model: type, may: list[bool]) -> None:
    row = stored(stored_meter(), timezone.now(), 1)
    Gap.objects.create(epoch=row.epoch, first=2, last=3)
    name = model.__name__.lower()
    pk = model.objects.get().pk  # type: ignore[attr-defined]  # of a model
    paths = [
        f"/admin/storage/{name}/add/",
        f"/admin/storage/{name}/{pk}/change/",
        f"/admin/storage/{name}/{pk}/delete/",
    ]
    assert [browser.post(path, {"name": "x", "timezone": "Europe/Paris"}).status_code != 403 for path in paths] == may


def test_a_meter_is_given_a_name(browser: Client) -> None:
    meter = stored_meter()
    form = {
        "name": "House", "timezone": "Europe/Paris", "position": "0",
        "contracts-TOTAL_FORMS": "0", "contracts-INITIAL_FORMS": "0",
    }  # fmt: skip
    browser.post(f"/admin/storage/meter/{meter.pk}/change/", form)
    meter.refresh_from_db()
    assert (str(meter), meter.mode) == ("House", "standard")


def test_a_message_that_was_set_aside_can_be_read(browser: Client) -> None:
    letter = DeadLetter.objects.create(topic="linky/x/reading", body=b"\xff{a", reason="no envelope")
    assert "�{a" in browser.get(f"/admin/storage/deadletter/{letter.pk}/change/").content.decode()


@pytest.mark.django_db
def test_rows_are_not_counted_to_the_end() -> None:
    meter = stored_meter()
    Epoch.objects.bulk_create(
        Epoch(meter=meter, uuid=uuid4(), bridge="b", handled=0, floor=1) for _ in range(_ShortCount.most + 1)
    )
    assert _ShortCount(Epoch.objects.order_by("pk"), 100).count == _ShortCount.most
    assert _ShortCount(list(range(5)), 2).count == 5
