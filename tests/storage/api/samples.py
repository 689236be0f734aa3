"""Three rows and more of each model that our API exposes, and what a client sends."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import models

from storage.alerts.models import Alert, AlertRule
from storage.groups import MeterGroup
from storage.models import Data, Epoch, Gap, Import, Meter, Register, Rollup
from storage.tariffs.models import (
    CalendarRule,
    Contract,
    DayCost,
    EventDay,
    IndexPeriod,
    Offer,
    OffPeakSlot,
    Period,
    TariffPrice,
    TempoDay,
)
from tests.storage.api.factory import Sample

LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)


def recently() -> datetime:
    """Within the stretch that a list of readings covers by itself."""
    return datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


def meters() -> list[Meter]:
    manager: Any = Meter.objects  # of the concrete model
    return [
        manager.get_or_create(
            meter_id=f"02176123456{n}",
            defaults={"name": f"Meter {n}", "mode": "standard", "timezone": "Europe/Paris", "power": 3 * n or None},
        )[0]
        for n in range(3)
    ]


def offers() -> list[Offer]:
    manager: Any = Offer.objects  # as above
    return [
        manager.get_or_create(code=f"offer-{n}", defaults={"name": f"Offer {n}", "option": "hphc"})[0] for n in range(3)
    ]


def offer_of(option: str) -> Offer:
    manager: Any = Offer.objects  # as above
    offer: Offer = manager.get_or_create(code=option, defaults={"name": option, "option": option})[0]
    return offer


def groups() -> list[MeterGroup]:
    manager: Any = MeterGroup.objects  # as above
    return [manager.get_or_create(name=f"Building {letter}")[0] for letter in "ABC"]


def made(model: type[models.Model], *rows: dict[str, Any]) -> list[models.Model]:
    return [model._default_manager.create(**row) for row in rows]


def prices() -> list[models.Model]:
    amounts = zip(("hp", "hc", "base"), ("0.20", "0.15", "0.1952"), strict=True)
    rows = [{"offer": offers()[0], "period": p, "amount": Decimal(a), "start_date": LONG_AGO} for p, a in amounts]
    return made(TariffPrice, *rows)


def contracts() -> list[models.Model]:
    rows = [{"meter": m, "offer": offers()[0], "power": 6, "start_date": LONG_AGO} for m in meters()]
    return made(Contract, *rows)


def index_periods() -> list[models.Model]:
    return made(
        IndexPeriod,
        *[
            {"meter": meters()[0], "index": n, "label": f"L{n}", "period": "hp", "start_date": LONG_AGO}
            for n in (1, 2, 3)
        ],
    )


def slots() -> list[models.Model]:
    rows = [{"meter": meters()[0], "begins": time(n), "ends": time(n + 1), "start_date": LONG_AGO} for n in (1, 3, 22)]
    return made(OffPeakSlot, *rows)


def epochs() -> list[Epoch]:
    return [
        Epoch.objects.get_or_create(meter=meters()[0], uuid=UUID(int=n), bridge="pi", handled=10 * n, floor=1)[0]
        for n in (1, 2, 3)
    ]


def hours() -> list[models.Model]:
    start = datetime(2026, 1, 31, 21, tzinfo=UTC)
    rows = [
        {"meter": meters()[0], "step": 3600, "start": start + timedelta(hours=n), "east": 100 * n, "readings": n}
        for n in range(4)
    ]
    return made(Rollup, *rows)


def readings() -> list[models.Model]:
    epoch = epochs()[0]
    rows = [
        {
            "meter": epoch.meter,
            "epoch": epoch,
            "seq": n,
            "dateTime": recently() + timedelta(seconds=n),
            "ltarf": "HC",
            "sinsts": n,
        }
        for n in (1, 2, 3)
    ]
    return made(Data, *rows)


def rules() -> list[AlertRule]:
    return [
        AlertRule.objects.get_or_create(name=f"Rule {n}", defaults={"kind": "silent", "value": str(n)})[0]
        for n in (10, 20, 30)
    ]


def alerts() -> list[models.Model]:
    rows = [
        {
            "rule": rule,
            "meter": meters()[0],
            "subject": rule.subject,
            "since": LONG_AGO,
            "seen": LONG_AGO,
            "value": 12,
            "peak": 15,
        }
        for rule in rules()
    ]
    return made(Alert, *rows)


def costs() -> list[models.Model]:
    rows = [
        {"meter": meters()[0], "day": LONG_AGO + timedelta(days=n), "period": "hp", "amount": Decimal("1.5"), "wh": n}
        for n in (1, 2, 3)
    ]
    return made(DayCost, *rows)


SAMPLES: Final[dict[type[models.Model], Sample]] = {
    Meter: Sample(lambda: list(meters()), lambda: {"meter_id": "021761234599", "name": "new"}, {"name": "cellar"}),
    MeterGroup: Sample(
        lambda: list(groups()), lambda: {"name": "First floor", "parent": groups()[0].pk}, {"name": "Building D"}
    ),
    Offer: Sample(
        lambda: list(offers()), lambda: {"code": "new", "name": "New", "option": "base"}, {"supplier": "EDF"}
    ),
    Period: Sample(
        lambda: made(Period, *[{"offer": offers()[0], "code": c, "name_fr": c, "name_en": c} for c in ("a", "b", "c")]),
        lambda: {"offer": offers()[1].pk, "code": "hp", "name_fr": "pleines", "name_en": "peak"},
        {"rank": 7},
    ),
    TariffPrice: Sample(
        prices, lambda: {"offer": offers()[1].pk, "period": "hp", "amount": "0.2"}, {"amount": "0.194"}
    ),
    Contract: Sample(
        contracts,
        lambda: {"meter": meters()[0].pk, "direction": "injected", "offer": offer_of("resale").pk, "power": 9},
        {"power": 9},
    ),
    IndexPeriod: Sample(index_periods, lambda: {"meter": meters()[1].pk, "index": 4, "period": "hc"}, {"period": "hc"}),
    OffPeakSlot: Sample(
        slots,
        lambda: {"meter": meters()[1].pk, "begins": "22:00:00", "ends": "06:00:00"},
        {"ends": "06:30:00"},
    ),
    CalendarRule: Sample(
        lambda: made(CalendarRule, *[{"offer": offer_of("other"), "rank": n, "period": "hp"} for n in (1, 2, 3)]),
        lambda: {"offer": offer_of("other").pk, "rank": 4, "period": "weekend", "days": "weekend"},
        {"season": "winter"},
    ),
    EventDay: Sample(
        lambda: made(EventDay, *[{"offer": offer_of("ejp"), "day": date(2026, 1, n)} for n in (1, 2, 3)]),
        lambda: {"offer": offer_of("ejp").pk, "day": "2026-01-09"},
        {"is_event": False},
    ),
    TempoDay: Sample(
        lambda: made(TempoDay, *[{"day": date(2026, 1, n), "colour": "bleu", "source": "user"} for n in (1, 2, 3)]),
        lambda: {"day": "2026-01-09", "colour": "rouge", "source": "user"},
        {"colour": "blanc"},
    ),
    DayCost: Sample(costs),
    AlertRule: Sample(lambda: list(rules()), lambda: {"name": "new", "kind": "silent", "value": "10"}, {"value": "20"}),
    Alert: Sample(alerts),
    Register: Sample(
        lambda: made(
            Register,
            *[{"meter": m, "name": "east", "since": LONG_AGO, "at": LONG_AGO, "value": 5} for m in meters()],
        )
    ),
    Epoch: Sample(lambda: list(epochs())),
    Gap: Sample(lambda: made(Gap, *[{"epoch": e, "first": 1, "last": 2} for e in epochs()])),
    Import: Sample(
        lambda: made(Import, *[{"meter": m, "layout": "curve", "name": "a.csv", "sha256": "0" * 64} for m in meters()])
    ),
    Rollup: Sample(hours),
    Data: Sample(readings),
}
