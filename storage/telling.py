"""What happens at meters, to the webhooks whose owners asked for it."""

from __future__ import annotations

from typing import Any

from storage.events import Event, occurred
from storage.webhooks.outbox import emit


def connect() -> None:
    """Listen to what the stored readings tell."""
    occurred.connect(_pass_on, dispatch_uid="webhooks")


def _pass_on(event: Event, **_: Any) -> None:  # Django's protocol
    """In the transaction that notes the event: it waits for the courier exactly once."""
    emit(event.kind.value, {"meter": event.meter.meter_id, **event.attributes}, subject=event.meter, at=event.at)
