"""Changes of entities to the pages that are open: those that this process makes, by a page or by the API."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.db.models import Model
from simple_history.signals import post_create_historical_record

from storage.entities.history import Record
from storage.models import Meter
from storage.rights import way_to_meter
from storage.web.hub import Changed, Hub

_WORDS: Final = {"+": "created", "~": "updated", "-": "deleted"}


class Changes:
    """A source of the hub: each row of history is one change, told once it is committed."""

    pulses = ()  # no thread of its own

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Tell them on `loop`."""
        self._loop = loop
        post_create_historical_record.connect(self._changed, dispatch_uid="pages")

    def stop(self) -> None:
        """No more."""
        post_create_historical_record.disconnect(dispatch_uid="pages")
        self._loop = None

    def _changed(self, instance: Any, history_instance: Record, **_: Any) -> None:  # Django's protocol
        label = history_instance.instance_type._meta.label_lower
        uuid = str(getattr(instance, "uuid", ""))
        news = Changed(label, uuid, _WORDS[history_instance.history_type], _meter_of(instance))
        transaction.on_commit(lambda: self._tell(news))

    def _tell(self, news: Changed) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._hub.hear_change, news)


def _meter_of(instance: Any) -> str | None:  # of an entity
    """The number of the meter that an entity belongs to; a meter's own change everybody must hear of: it may have come
    into his groups.
    """
    model: type[Model] = type(instance)
    way = way_to_meter(model)
    try:
        for name in way.split("__") if way else ():
            instance = getattr(instance, name, None)
    except ObjectDoesNotExist:
        return ""  # it went together with its meter
    return instance.meter_id if way and isinstance(instance, Meter) else None
