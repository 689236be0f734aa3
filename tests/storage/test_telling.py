"""What happens at meters, as webhooks are told of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as ours
from django.db import transaction

from storage.events import Event, Kind, tell
from storage.webhooks.models import Delivery, Webhook
from tests.storage.web.samples import METER, NOON, stored_meter


def test_an_owner_may_choose_each_event_and_no_other() -> None:
    assert set(ours.NOTIFY_EVENTS) == set(Kind)


@pytest.mark.django_db
def test_who_chose_an_event_is_told_of_it_and_of_no_other(settings: Any) -> None:
    settings.NOTIFY_CHANGES = True
    Webhook.objects.create(name="lamp", url="https://example.org/", events=["index_reset", "alert_raised"])
    meter = stored_meter()
    with transaction.atomic():
        tell(Event(Kind.TEMPO_KNOWN, meter, NOON, {"colour": "rouge"}))
        tell(Event(Kind.INDEX_RESET, meter, NOON, {"field": "east", "before": 9, "after": 0}))
    (told,) = Delivery.objects.all()
    assert (told.event, told.payload["date"]) == ("index_reset", NOON.isoformat())
    assert told.payload["data"] == {"meter": METER, "field": "east", "before": 9, "after": 0}
    assert told.payload["meta"]["uuid"] == str(meter.uuid)


@pytest.mark.django_db
def test_what_is_rolled_back_is_not_told(settings: Any) -> None:
    settings.NOTIFY_CHANGES = True
    Webhook.objects.create(name="lamp", url="https://example.org/", events=["meter_silent"])
    meter = stored_meter()
    with transaction.atomic():
        tell(Event(Kind.METER_SILENT, meter, NOON))
        transaction.set_rollback(True)
    assert not Delivery.objects.exists()
