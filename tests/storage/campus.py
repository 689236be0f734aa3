"""Two buildings with a meter each, of which somebody sees one; the other is full of things that must not be seen."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Model

from storage.alerts.models import Alert, AlertRule, Delivery
from storage.groups import MeterGroup, Sight
from storage.models import Data, DeadLetter, Dirty, Epoch, Gap, Import, Meter, Register, Rollup
from storage.tariffs.models import Contract, DayCost, IndexPeriod, Offer, OffPeakSlot
from storage.tokens.models import Token
from storage.web.roles import Role, give

OWN: Final = "041876111111"
FOREIGN: Final = "041876987654"
# What tells of the foreign meter, wherever it appears. Numbers are rare ones, as kWh, Wh, VA and EUR may show them.
TRACES: Final = (
    FOREIGN, "…7654", "Forbidden laboratory", "Hidden building", "31337", "31,337", "777001", "secret-curve", "6543217",
    "6,543", "4711.55", "4,711", "Quiet rule", "quiet@example.org", "5e17e700", "bridge-of-theirs",
)  # fmt: skip


def recently(**before: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**before)


class Campus:
    """`everything` are the rows of the foreign meter."""

    def __init__(self) -> None:
        self.building = MeterGroup.objects.create(name="Building A")
        self.floor = MeterGroup.objects.create(name="First floor", parent=self.building)
        self.hidden = MeterGroup.objects.create(
            name="Hidden building", uuid=UUID("5e17e700-0000-4000-8000-000000000000")
        )
        self.own = self._meter(OWN, "Our office", self.floor)
        self.foreign = self._meter(FOREIGN, "Forbidden laboratory", self.hidden)
        self.offer = Offer.objects.get_or_create(code="campus", defaults={"name": "Campus", "option": "base"})[0]
        self.own_rule = AlertRule.objects.create(name="Our rule", kind="silent", value="20", meter=self.own)
        self.common_rule = AlertRule.objects.create(name="Rule for all", kind="silent", value="30")
        self.everything: list[Model] = [self.foreign, self.hidden, *self._rows()]

    def _meter(self, meter_id: str, name: str, group: MeterGroup) -> Meter:
        meter: Meter = Meter.objects.create(
            meter_id=meter_id, name=name, mode="standard", timezone="Europe/Paris", group=group
        )
        return meter

    def _rows(self) -> list[Model]:
        meter, at = self.foreign, recently(minutes=2)
        hour = at.replace(minute=0, second=0)
        midnight = at.replace(hour=0, minute=0, second=0) - timedelta(hours=1)
        epoch = Epoch.objects.create(
            meter=meter, uuid=UUID("5e17e700-1111-4222-8333-444455556666"), bridge="bridge-of-theirs", handled=777001,
            floor=1,
        )  # fmt: skip
        rule = AlertRule.objects.create(
            name="Quiet rule", kind="silent", value="15", meter=meter, recipients="quiet@example.org"
        )
        story = {"subject": "silent", "since": at, "seen": at, "value": 31337, "peak": 31337}
        alert = Alert.objects.create(rule=rule, meter=meter, state=Alert.State.RAISED, raised=at, **story)
        common = Alert.objects.create(
            rule=self.common_rule, meter=meter, state=Alert.State.CLEARED, raised=at, cleared=at, **story
        )
        rows: list[Any] = [
            epoch, rule, alert, common,
            Delivery.objects.create(alert=alert, change="raised", channel="mail", recipient="quiet@example.org", at=at),
            Data.objects.create(
                meter=meter, epoch=epoch, seq=777001, dateTime=at, east=6543217, sinsts=31337, ltarf="BASE"
            ),
            Gap.objects.create(epoch=epoch, first=777001, last=777002),
            DeadLetter.objects.create(topic=f"linky/{FOREIGN}/reading", body=b"x", reason="31337"),
            Register.objects.create(meter=meter, name="east", since=midnight, at=at, value=6543217),
            Import.objects.create(meter=meter, layout="curve", name="secret-curve.csv", sha256="5e17e700" * 8),
            Dirty.objects.create(meter=meter, hour=hour, first=1, last=2),
            Contract.objects.create(meter=meter, offer=self.offer, power=36, start_date=recently(days=90)),
            IndexPeriod.objects.create(meter=meter, index=1, period="base"),
            OffPeakSlot.objects.create(meter=meter, begins="22:17", ends="06:17"),
            DayCost.objects.create(meter=meter, day=midnight, period="base", wh=6543217, amount=Decimal("4711.55")),
        ]  # fmt: skip
        for step, start in ((60, at.replace(second=0)), (3600, hour), (86_400, midnight)):
            rows.append(
                Rollup.objects.create(
                    meter=meter, step=step, start=start, readings=2, covered=60, sinsts_sum=2 * 31337,
                    sinsts_min=31337, sinsts_max=31337, east=6543217,
                )
            )  # fmt: skip
        return rows

    def limit(self, *groups: MeterGroup, **whose: Any) -> Sight:
        """Let an account or a token see these groups."""
        sight: Sight = Sight.objects.create(**whose)
        sight.groups.set(groups)
        return sight


def tenant(campus: Campus, role: Role = Role.CHANGE) -> User:
    """Sees Building A, and may there do what the role says."""
    user = User.objects.create_user("tenant", password="correct horse battery")
    give(user, role)
    campus.limit(campus.building, user=user)
    return user


def token_of(user: User, *scopes: str) -> tuple[Token, dict[str, str]]:
    """And the header to come with."""
    token, text = Token.issue(user, "program", list(scopes or ("live", "history")))
    return token, {"authorization": f"Bearer {text}"}
