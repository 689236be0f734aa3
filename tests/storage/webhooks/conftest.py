"""A receiver, a webhook that leads to it, and a clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from storage.webhooks.courier import Courier
from storage.webhooks.models import Change, Delivery, Webhook
from tests.storage.webhooks.receiver import Receiver, receiving


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """What is said is compared here in the language of the sources."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def notifying(settings: Any) -> Any:
    """Changes are told, on this machine too. A test that wants the defaults says so."""
    settings.NOTIFY_CHANGES = settings.NOTIFY_PRIVATE = True
    return settings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


class Clock:
    """`at` is now; it begins with the true one, for the database's defaults are from there."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC) + timedelta(seconds=1)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def courier(clock: Clock) -> Courier:
    """Its turns are called here; its thread is never started."""
    return Courier(clock)


def hook(url: str, secret: str = "", **given: Any) -> Webhook:
    """A webhook that wants every change of books."""
    options = {"name": "hook", "types": ["library.book"], "events": list(Change.values), "delay": 10, **given}
    webhook = Webhook(url=url, **options)
    webhook.secret = secret
    webhook.save()
    return webhook


def rows() -> list[tuple[str, str, int, int | None, str]]:
    """The outbox."""
    found = Delivery.objects.order_by("pk").values_list("event", "state", "attempts", "status", "said")
    return [(event, state, attempts, status, said) for event, state, attempts, status, said in found]
