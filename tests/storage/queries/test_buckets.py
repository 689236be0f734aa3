"""The one place that decides between the meter's roll-ups and those of Enedis's files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import pytest

from storage.models import Meter, Rollup
from storage.queries.buckets import Bucket, merged
from storage.queries.periods import Period
from tests.storage.web.samples import NOON, stored_meter

pytestmark = pytest.mark.django_db

START: Final = int(NOON.timestamp())
NAMES: Final = ("east", "easf01", "eait")


def rolled(meter: Meter, origin: Rollup.Origin, hours: int = 0, **columns: Any) -> None:
    start = NOON + timedelta(hours=hours)
    Rollup.objects.create(meter=meter, step=Rollup.Step.HOUR, start=start, origin=origin, **columns)


def asked(meter: Meter) -> list[Bucket]:
    return merged(meter, Rollup.Step.HOUR, Period(START, START + 7200), NAMES)


HEARD: Final[dict[str, Any]] = {"readings": 9, "covered": 3600}
ONLY_METER, FROM_FILE = False, True


@pytest.mark.parametrize(
    ("own", "file", "energies", "estimated", "from_file"),
    [
        ({**HEARD, "east": 5, "easf01": 5}, {"east": 8}, (5, 5, None), False, ONLY_METER),
        ({**HEARD, "east": 5, "estimated": True}, {"east": 8}, (5, None, None), True, ONLY_METER),
        ({"east": 0}, {"east": 8}, (0, None, None), False, ONLY_METER),
        ({"east": 5, "easf01": 4, "estimated": True}, {"east": 8}, (8, 4, None), True, FROM_FILE),
        ({"east": 5, "estimated": True}, {"east": 8}, (8, None, None), False, FROM_FILE),
        ({"east": 5, "eait": 2, "estimated": True}, {"eait": 8}, (5, None, 8), True, FROM_FILE),
        ({**HEARD}, {"east": 8}, (8, None, None), False, FROM_FILE),
        ({**HEARD, "east": 5}, {"eait": 8}, (5, None, 8), False, FROM_FILE),
        ({"east": 5, "estimated": True}, {}, (5, None, None), True, ONLY_METER),
        (None, {"east": 8}, (8, None, None), False, FROM_FILE),
        ({"east": 5, "estimated": True}, None, (5, None, None), True, ONLY_METER),
    ],
)
def test_the_meter_is_believed_where_it_was_heard_and_a_file_where_it_was_not(
    own: dict[str, Any] | None, file: dict[str, Any] | None, energies: tuple[int | None, ...], estimated: bool,
    from_file: bool,
) -> None:  # fmt: skip
    meter = stored_meter()
    if own is not None:
        rolled(meter, Rollup.Origin.METER, **own)
    if file is not None:
        rolled(meter, Rollup.Origin.ENEDIS, **file)
    readings, covered = (own or {}).get("readings", 0), (own or {}).get("covered", 0)
    assert asked(meter) == [Bucket(START, 3600, readings, covered, estimated, False, from_file, energies)]


def test_buckets_come_by_time_and_end_where_the_period_does() -> None:
    meter = stored_meter()
    for hours in (1, -1, 2, 0):
        rolled(meter, Rollup.Origin.METER, hours, east=hours, has_reset=hours == 1)
    assert [(one.start - START, one.energies[0], one.has_reset) for one in asked(meter)] == [
        (0, 0, False), (3600, 1, True),
    ]  # fmt: skip


def test_other_meters_and_other_steps_are_left_out() -> None:
    meter = stored_meter()
    rolled(stored_meter("2"), Rollup.Origin.METER, east=1)
    Rollup.objects.create(meter=meter, step=Rollup.Step.DAY, start=NOON, east=2)
    assert asked(meter) == []
