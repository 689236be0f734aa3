"""`/healthz`: whether this process can serve, and what its owner should look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from storage import budget
from storage.migrate import behind
from storage.models import Data
from storage.operations.fleet import Fleet

SILENT: Final = timedelta(minutes=15)  # without a stored reading, after which something is wrong


@dataclass(frozen=True, slots=True)
class Health:
    """`reasons` say why it cannot serve, `warnings` what else is wrong; none names a meter or an address."""

    reasons: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        return not self.reasons


class Migrated:
    """Whether the database is up to date: asked until it is, for an older program does not come back."""

    done = False

    @classmethod
    def now(cls) -> bool:
        cls.done = cls.done or not behind()
        return cls.done


def health(fleet: Fleet | None) -> Health:
    """Ask everything that this process needs."""
    try:
        if not Migrated.now():
            return Health(("The database is not up to date: start the store, or run ticbridge manage migrate",))
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return Health((), tuple(_warnings(fleet)))
    except DatabaseError:
        return Health(("The database does not answer: is it there, and not full?",))


def age_of_newest() -> timedelta | None:
    """How long ago the reading was taken that was stored last; None when there is none."""
    newest = Data.objects.order_by("-pk").values_list("dateTime", flat=True).first()
    return None if newest is None else timezone.now() - newest


def _warnings(fleet: Fleet | None) -> list[str]:
    found = []
    if fleet is not None:
        if fleet.connected is not True:
            found.append("No connection to the broker: nothing is live (mqtt.host, mqtt.password_file)")
        if fleet.connected and True not in fleet.stores().values():
            found.append("No store is there: readings wait at the bridges (ticbridge store)")
        if fleet.connected and not any(bridge.online for bridge in fleet.bridges().values()):
            found.append("No bridge is there: nobody reads a meter (ticbridge bridge)")
    age = age_of_newest()
    if age is None:
        found.append("No reading was stored yet")
    elif age > SILENT:
        found.append(f"No reading was stored for {int(age.total_seconds() // 60)} minutes")
    if (room := budget.measure(settings.TICBRIDGE.storage.budget).warning) is not None:
        found.append(room)
    return found
