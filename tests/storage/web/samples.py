"""Readings as bridges send them, and rows as the store writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from bridge.envelope import Envelope
from storage.models import Data, Epoch, Meter

METER: Final = "042161000001"
EPOCH: Final = "3e5c7c0a-1111-4222-8333-444455556666"
NOON: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)  # 13:00 in Paris

STANDARD: Final[dict[str, Any]] = {
    "adsc": METER, "date": "2026-11-21T13:00:00+01:00", "ngtf": "TEMPO", "ltarf": "HP BLEU", "east": 12_345_678,
    "easf01": 1_000_000, "irms1": 5, "urms1": 232, "pref": 9, "pcoup": 9, "sinsts": 1200, "smaxsn": 4321, "ntarf": 2,
}  # fmt: skip
STANDARD_DERIVED: Final[dict[str, Any]] = {
    "tempo_today": "bleu", "tempo_tomorrow": None, "breaker": "closed", "relay_1": False, "overvoltage": False,
}  # fmt: skip
HISTORIQUE: Final[dict[str, Any]] = {
    "adco": METER, "optarif": "HC", "isousc": 30, "hchc": 3_000_000, "hchp": 4_000_000, "ptec": "HC", "iinst": 5,
    "papp": 1150,
}  # fmt: skip


def envelope(values: dict[str, Any] | None = None, **changes: Any) -> Envelope:
    """A reading of a standard meter on Tempo, unless told otherwise."""
    fields = {
        "meter": METER, "bridge": "attic", "epoch": EPOCH, "seq": 1, "floor": 1, "ts": "2026-11-21T12:00:00.000Z",
        "tz": "Europe/Paris", "mode": "standard", "values": STANDARD if values is None else values,
        "derived": STANDARD_DERIVED if values is None else {},
    }  # fmt: skip
    return Envelope.model_validate({**fields, **changes})


def historique(**changes: Any) -> Envelope:
    """A reading of a historique meter with off-peak hours."""
    return envelope(HISTORIQUE, **{"mode": "historique", "derived": {"tariff_index": 1}, **changes})


def stored_meter(meter_id: str = METER, **fields: Any) -> Meter:
    """A meter as the store makes it."""
    return Meter.objects.create(meter_id=meter_id, **{"mode": "standard", "timezone": "Europe/Paris", **fields})


def stored(meter: Meter, at: datetime, seq: int, **columns: Any) -> Data:
    """A row."""
    epoch, _ = Epoch.objects.get_or_create(
        meter=meter, uuid=UUID(EPOCH), defaults={"bridge": "attic", "handled": 0, "floor": 1}
    )
    return Data.objects.create(meter=meter, epoch=epoch, seq=seq, dateTime=at, **columns)
