"""Files of Enedis in the database: beside what the meter gave, once, and never instead of it."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.exchange.enedis.blocks import Curve, Direction
from storage.exchange.enedis.curve import Bucket, buckets
from storage.exchange.enedis.indexes import Stored
from storage.exchange.enedis.report import lines
from storage.exchange.enedis.rollups import Conflict, Written
from storage.exchange.enedis.take import Result, take
from storage.exchange.errors import ExchangeError
from storage.models import Data, Dirty, Epoch, Import, Meter, Rollup
from tests.storage.exchange.conftest import Place
from tests.storage.exchange.enedis.samples import (
    CALENDAR,
    PARIS,
    PRM,
    curve,
    daily,
    index_row,
    indexes,
    preamble,
    workbook,
)  # fmt: skip

pytestmark = pytest.mark.django_db
Write = Callable[..., Path]
MIDNIGHT = datetime(2026, 10, 31, 23, tzinfo=UTC)  # of 1 November in Paris
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def meter() -> Meter:
    return Meter.objects.create(meter_id="042176000001", mode="standard", timezone="Europe/Paris")


def rows(step: int, *columns: str, origin: int = Rollup.Origin.ENEDIS) -> list[Any]:
    """(start, columns) of the roll-ups."""
    found = Rollup.objects.filter(step=step, origin=origin).order_by("start")
    return list(found.values_list("start", *(columns or ("east",))))


def written(result: Result) -> list[tuple[int, int, int, int]]:
    return [(one.step, one.new, one.changed, one.same) for one in result.written]


# --- curves --------------------------------------------------------------------------------------


def test_half_hours_hours_and_days_of_a_curve(meter: Meter, csv_file: Write) -> None:
    path = csv_file(*curve("2026-11-01T00:30+01:00", [2 * n for n in range(48)] + [10]))
    [result] = take(path, meter)
    assert written(result) == [(1800, 49, 0, 0), (3600, 24, 0, 0), (86400, 1, 0, 0)]
    assert rows(1800) == [(MIDNIGHT + n * HOUR / 2, n if n < 48 else 5) for n in range(49)]
    assert rows(3600) == [(MIDNIGHT + n * HOUR, 4 * n + 1) for n in range(24)]
    columns = ("east", "eait", "covered", "readings", "estimated", "sinsts_max", "source__layout")
    assert rows(86400, *columns) == [(MIDNIGHT, sum(range(48)), None, 86400, 0, False, None, "CSV load curve")]


def test_ten_minute_steps_are_summed_and_a_hole_leaves_out_what_it_is_in(meter: Meter, csv_file: Write) -> None:
    values: list[object] = [61] * 18
    values[4] = None
    path = csv_file(*curve("2026-11-01T00:00+01:00", values, 10, way="Production"))
    take(path, meter)
    # 61 W for ten minutes are 10.1666 Wh: whole Wh since midnight, and their differences.
    assert rows(1800, "eait") == [
        (MIDNIGHT + n * HOUR / 2, wh) for n, wh in ((0, 30), (2, 31), (3, 30), (4, 31), (5, 30))
    ]
    assert rows(3600, "eait", "east") == [(MIDNIGHT + HOUR, 61, None), (MIDNIGHT + 2 * HOUR, 61, None)]
    assert rows(86400) == []


def test_steps_of_an_hour_make_no_half_hours(meter: Meter, csv_file: Write) -> None:
    take(csv_file(*curve("2026-11-01T00:00+01:00", [5] * 24, 60)), meter)
    assert (rows(1800), len(rows(3600)), rows(86400)) == ([], 24, [(MIDNIGHT, 120)])


@pytest.mark.parametrize(("midnight", "hours"), [("2026-10-25T00:00+02:00", 25), ("2026-03-29T00:00+01:00", 23)])
def test_the_days_when_the_clocks_change_have_all_their_hours(
    midnight: str, hours: int, meter: Meter, csv_file: Write
) -> None:
    path = csv_file(*curve(midnight, [1000] * (2 * hours), 30, unit="W"))
    take(path, meter)
    assert rows(86400, "east", "covered") == [(datetime.fromisoformat(midnight), 500 * 2 * hours, hours * 3600)]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    step=st.sampled_from([300, 600, 900, 1800, 3600]),
    hour=st.integers(0, 24 * 365),
    powers=st.lists(st.one_of(st.none(), st.integers(0, 36_000)), min_size=1, max_size=400),
)
def test_what_is_whole_adds_up(step: int, hour: int, powers: list[int | None]) -> None:
    from fractions import Fraction  # noqa: PLC0415

    first = datetime(2026, 1, 1, tzinfo=UTC) + hour * HOUR
    points = [
        (first + timedelta(seconds=n * step), Fraction(power * step, 3600))
        for n, power in enumerate(powers) if power is not None
    ]  # fmt: skip
    found = list(buckets(Curve(step, points), PARIS))
    known = dict(points)

    def inner(bucket: Bucket, length: int) -> list[Bucket]:
        end = bucket.start + timedelta(seconds=bucket.seconds)
        return [one for one in found if one.step == length and bucket.start <= one.start < end]

    for bucket in found:
        steps = [known.get(bucket.start + timedelta(seconds=n)) for n in range(0, bucket.seconds, step)]
        exact = sum(energy for energy in steps if energy is not None)
        assert None not in steps
        assert -1 < bucket.value - exact < 1
        if bucket.step == 86400:
            assert bucket.value == sum(one.value for one in inner(bucket, 3600))
        if bucket.step == 3600 and step <= 1800:
            assert bucket.value == sum(one.value for one in inner(bucket, 1800))


def test_a_meter_of_another_zone_has_its_own_days(csv_file: Write) -> None:
    island = Meter.objects.create(meter_id="974", mode="standard", timezone="Indian/Reunion")
    take(csv_file(*curve("2026-11-01T00:00+04:00", [6] * 24, 60)), island)
    assert rows(86400) == [(datetime(2026, 10, 31, 20, tzinfo=UTC), 144)]


# --- days, powers --------------------------------------------------------------------------------


def test_daily_energy_of_both_ways_and_the_highest_power_are_one_row(
    meter: Meter, csv_file: Write, tmp_path: Path
) -> None:
    names = ("Export Consommation Quotidienne", "Export Production Quotidienne")
    book = workbook(
        tmp_path / "x.xlsx",
        {name: daily([("01/11/2026", 6.329 + n), ("02/11/2026", "NA")]) for n, name in enumerate(names)},
    )
    take(book, meter)
    peaks = preamble("Puissance maximale quotidienne", unit="VA")
    take(csv_file(*peaks, "Horodate;Valeur", "2026-11-01T00:00:00+01:00;4520", "2026-11-02T00:00:00+01:00;9"), meter)
    columns = ("east", "eait", "sinsts_max", "covered")
    assert rows(86400, *columns) == [(MIDNIGHT, 6329, 7329, 4520, 86400), (MIDNIGHT + DAY, None, None, 9, 0)]
    said = Import.objects.order_by("pk").values_list("layout", "block", "rows", "begins", "ends")
    assert list(said) == [
        ("daily energy", 1, 1, MIDNIGHT, MIDNIGHT + DAY), ("daily energy", 2, 1, MIDNIGHT, MIDNIGHT + DAY),
        ("daily maximum power", 1, 2, MIDNIGHT, MIDNIGHT + 2 * DAY),
    ]  # fmt: skip


# --- once, and beside the meter ------------------------------------------------------------------


def snapshot() -> list[Any]:
    tables: list[Any] = [model.objects.order_by("pk").values() for model in (Meter, Rollup, Import, Data, Epoch, Dirty)]
    return [list(table) for table in tables]


def test_a_second_import_of_a_file_changes_nothing(meter: Meter, csv_file: Write) -> None:
    files = [
        csv_file(*curve("2026-11-01T00:30+01:00", [100] * 50), name="curve"),
        csv_file(*indexes(index_row("2026-11-01T00:00:00+01:00", 1, 2, 3)), name="indexes"),
    ]
    for path in files:
        take(path, meter)
    was = snapshot()
    again = [take(path, meter) for path in files]
    assert snapshot() == was
    assert written(again[0][0]) == [(1800, 0, 0, 50), (3600, 0, 0, 25), (86400, 0, 0, 1)]
    assert again[1][0].stored == Stored(there=1, begins=MIDNIGHT, ends=MIDNIGHT)


def test_a_newer_file_that_overlaps_changes_what_it_says_otherwise(meter: Meter, csv_file: Write) -> None:
    take(csv_file(*curve("2026-11-01T00:30+01:00", [100, 200, 300, 400]), name="old"), meter)
    [result] = take(csv_file(*curve("2026-11-01T01:30+01:00", [300, 500, 600, 700]), name="new"), meter)
    assert written(result) == [(1800, 2, 1, 1), (3600, 1, 1, 0)]
    assert [(wh, name) for _, wh, name in rows(1800, "east", "source__name")] == [
        (50, "old"), (100, "old"), (150, "old"), (250, "new"), (300, "new"), (350, "new"),
    ]  # fmt: skip
    assert [wh for _, wh in rows(3600)] == [150, 400, 650]


def test_the_meters_own_rows_stay_and_the_difference_is_said(meter: Meter, csv_file: Write) -> None:
    def own(hour: int, east: int | None, **fields: Any) -> None:
        Rollup.objects.create(meter=meter, step=3600, start=MIDNIGHT + hour * HOUR, east=east, **fields)

    own(0, 95, readings=2000)
    own(1, 130, readings=0, estimated=True)
    own(2, None, readings=5)
    own(9, 1, readings=1)
    was = rows(3600, "east", "readings", origin=Rollup.Origin.METER)
    path = csv_file(*curve("2026-11-01T01:00+01:00", [100] * 4, 60))
    [result] = take(path, meter)
    expected = Written(3600, 4, 0, 0, MIDNIGHT, MIDNIGHT + 4 * HOUR, Conflict(2, 1, 30, 225, 200))
    assert result.written == [expected]
    assert rows(3600, "east", "readings", origin=Rollup.Origin.METER) == was
    beside = (
        "    the meter itself has 2 of them, and its values stand, but for 1 that it only estimated: the two differ by "
        "30 Wh at most; in all the meter says 225 Wh, the file 200 Wh"
    )
    assert list(lines([result], dry_run=False)) == [
        "line 3: CSV load curve of consumption, PRM ...0042, steps of 60 minutes dated by their ends: 4 values",
        "  hours from 2026-10-31T23:00:00+00:00 to 2026-11-01T03:00:00+00:00: 4 new, 0 changed, 0 as they were",
        beside,
    ]


def test_a_dry_run_says_the_same_and_writes_nothing(csv_file: Write) -> None:
    unknown = Meter(meter_id="new", mode="standard", timezone="Europe/Paris")
    path = csv_file(
        *curve("2026-11-01T00:30+01:00", [100] * 4),
        *indexes(index_row("2026-11-01T00:00:00+01:00", 1, 2, 3)), *CALENDAR,
    )  # fmt: skip
    nothing = snapshot()
    dry = take(path, unknown, dry_run=True)
    assert snapshot() == nothing
    assert take(path, unknown) == dry
    assert list(lines(dry, dry_run=True))[3:] == [
        "line 10: CSV indexes of consumption, PRM ...0042: 1 values",
        "  periods: EAS F1 = Heures Creuses, EAS F2 = Heures Pleines",
        "  from 2026-10-31T23:00:00+00:00 to 2026-10-31T23:00:00+00:00",
        "  1 readings would be stored, 0 there already",
    ]


def test_where_an_import_comes_from_is_kept(meter: Meter, csv_file: Write) -> None:
    path = csv_file(*curve("2026-11-01T00:30+01:00", [100, 100, None]), name="Mes données.csv")
    take(path, meter)
    fields = ("layout", "name", "sha256", "block", "prm", "rows", "begins", "ends", "epoch")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Import.objects.values_list(*fields).get() == (
        "CSV load curve", "Mes données.csv", digest, 1, PRM, 3, MIDNIGHT, MIDNIGHT + HOUR, None,
    )  # fmt: skip


# --- delivery points -----------------------------------------------------------------------------


def test_another_delivery_point_is_refused(meter: Meter, csv_file: Write) -> None:
    take(csv_file(*curve("2026-11-01T00:30+01:00", [1, 2]), name="mine"), meter)
    theirs = csv_file(*curve("2026-11-02T00:30+01:00", [1, 2], prm="30000000000007"), name="theirs")
    was = snapshot()
    said = "line 3: this PRM (...0007) is not the one of meter 042176000001 (...0042, as mine said)"
    with pytest.raises(ExchangeError, match=f"^{re.escape(said)}$"):
        take(theirs, meter)
    other = Meter.objects.create(meter_id="other", mode="standard", timezone="Europe/Paris")
    with pytest.raises(ExchangeError, match=r"^line 3: this PRM \(...0042\) is of meter 042176000001$"):
        take(tmp := theirs.with_name("mine"), other)
    assert tmp.exists()
    other.delete()
    assert snapshot() == was


def test_one_block_of_another_delivery_point_refuses_the_whole_file(meter: Meter, csv_file: Write) -> None:
    take(csv_file(*curve("2026-11-01T00:30+01:00", [1, 2]), name="mine"), meter)
    was = snapshot()
    good = curve("2026-11-05T00:30+01:00", [1, 2])
    bad = curve("2026-11-05T00:30+01:00", [1, 2], prm="30000000000007")
    with pytest.raises(ExchangeError, match=r"^line 8: this PRM \(...0007\) is not the one of meter"):
        take(csv_file(*good, *bad), meter)
    assert snapshot() == was


# --- indexes -------------------------------------------------------------------------------------


def reading(meter: Meter, at: datetime, **values: int) -> None:
    epoch, _ = Epoch.objects.get_or_create(
        meter=meter, uuid=uuid.UUID(int=1), defaults={"bridge": "pi", "handled": 0, "floor": 1}
    )
    Data.objects.create(meter=meter, epoch=epoch, seq=Data.objects.count() + 1, dateTime=at, **values)


def test_indexes_become_readings_and_mark_their_hours(meter: Meter, csv_file: Write) -> None:
    path = csv_file(*indexes(*(index_row(f"2026-11-0{n}T00:00:00+01:00", n, 2 * n, 3 * n) for n in (1, 2))))
    take(path, meter)
    fields = ("seq", "dateTime", "east", "easf01", "easf02", "easf03", "easd01", "date", "sinsts", "epoch__bridge")
    assert list(Data.objects.order_by("seq").values_list(*fields)) == [
        (n, MIDNIGHT + (n - 1) * DAY, 3 * n, n, 2 * n, None, n + 5, None, None, "enedis") for n in (1, 2)
    ]
    assert list(Dirty.objects.order_by("hour").values_list("hour", flat=True)) == [MIDNIGHT, MIDNIGHT + DAY]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert Epoch.objects.values_list("uuid", "handled").get() == (
        uuid.uuid5(uuid.NAMESPACE_URL, f"ticbridge:import:{digest}"), 2,
    )  # fmt: skip


def test_where_the_meter_was_heard_the_files_index_is_left_out(meter: Meter, csv_file: Write) -> None:
    reading(meter, MIDNIGHT - timedelta(seconds=2), east=3000, easf01=1000)
    reading(meter, MIDNIGHT + timedelta(seconds=200), east=3004, easf01=1000)
    [result] = take(csv_file(*indexes(index_row("2026-11-01T00:00:00+01:00", 1007, 2000, 3002))), meter)
    assert result.stored == Stored(heard=1, most=7, begins=MIDNIGHT, ends=MIDNIGHT)
    assert Data.objects.count() == 2


@pytest.mark.parametrize(("total", "fits"), [(2999, False), (3000, True), (3500, True), (4000, True), (4001, False)])
def test_in_a_silence_an_index_must_lie_between_what_the_meter_said(
    total: int, fits: bool, meter: Meter, csv_file: Write
) -> None:
    reading(meter, MIDNIGHT - HOUR, east=3000)
    reading(meter, MIDNIGHT + HOUR, east=4000)
    [result] = take(csv_file(*indexes(index_row("2026-11-01T00:00:00+01:00", 1, 2, total))), meter)
    assert result.stored is not None
    reason = {"the meter's own east says otherwise before or after it": 1}
    assert (result.stored.stored, dict(result.stored.refused)) == ((1, {}) if fits else (0, reason))


@pytest.mark.parametrize(("total", "fits"), [(900_500, True), (3, True), (50_000, False)])
def test_a_new_meter_in_the_silence_is_no_contradiction(total: int, fits: bool, meter: Meter, csv_file: Write) -> None:
    reading(meter, MIDNIGHT - HOUR, east=900_000)
    reading(meter, MIDNIGHT + HOUR, east=10)
    [result] = take(csv_file(*indexes(index_row("2026-11-01T00:00:00+01:00", 1, 2, total))), meter)
    assert result.stored is not None
    assert result.stored.stored == fits


def test_a_newer_file_of_indexes_brings_only_its_new_days(meter: Meter, csv_file: Write) -> None:
    days = [index_row(f"2026-11-0{n}T00:00:00+01:00", n, 2 * n, 3 * n) for n in (1, 2, 3)]
    take(csv_file(*indexes(*days[:2]), name="old"), meter)
    [result] = take(csv_file(*indexes(*days), name="new"), meter)
    assert result.stored == Stored(1, 2, begins=MIDNIGHT, ends=MIDNIGHT + 2 * DAY)
    assert Data.objects.count() == 3


def test_indexes_in_whole_kwh_never_make_the_meters_index_fall(meter: Meter, csv_file: Write) -> None:
    reading(meter, MIDNIGHT - HOUR, east=3_456_789)
    path = csv_file("Date;Total (kWh)", "01/11/2026;3456", "02/11/2026;3460")
    [result] = take(path, meter)
    assert list(Data.objects.order_by("dateTime").values_list("east", flat=True)) == [3_456_789, 3_460_000]
    assert result.stored is not None
    assert sum(result.stored.refused.values()) == 1


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_refuses_before_it_writes_and_reports(place: Place, csv_file: Write) -> None:
    path = csv_file(*curve("2026-11-01T00:30+01:00", [100] * 4))
    asked = ("import", "enedis", str(path), "--meter", "m")
    assert place.run(*asked, "--as", "production", code=1) == (
        "", "ticbridge: line 2: this is consumption, not production\n",
    )  # fmt: skip
    assert place.ask("SELECT count(*) FROM storage_meter") == [(0,)]
    period = "from 2026-10-31T23:00:00+00:00 to 2026-11-01T01:00:00+00:00"
    expected = (
        "line 3: CSV load curve of consumption, PRM ...0042, steps of 30 minutes dated by their ends: 4 values\n"
        f"  half hours {period}: would be 4 new, 0 changed, 0 as they were\n"
        f"  hours {period}: would be 2 new, 0 changed, 0 as they were\n"
    )
    assert place.run(*asked, "--dry-run")[0] == expected
    assert place.run(*asked)[0] == expected.replace("would be ", "")
    assert place.ask("SELECT step, origin, count(*), sum(east) FROM storage_rollup GROUP BY step") == [
        (1800, 1, 4, 200), (3600, 1, 2, 200),
    ]  # fmt: skip


@pytest.mark.slow
def test_an_import_that_is_killed_and_run_again_ends_with_the_same_rows(place: Place, csv_file: Write) -> None:
    number = 2 * 24 * 365 * 3
    values = [n % 5000 for n in range(number)]
    path = csv_file(*curve("2023-11-01T00:30+01:00", values))
    process = place.popen("import", "enedis", str(path), "--meter", "m")
    count = "SELECT count(*) FROM storage_rollup"
    while not place.ask(count)[0][0]:
        assert process.poll() is None, "it was too fast to be killed"
    process.kill()
    process.communicate()
    [(there,)] = place.ask(count)
    assert 0 < there < number
    assert there % 2000 == 0, "a chunk is whole or not there"
    assert place.ask("SELECT rows FROM storage_import") == [(there,)]
    place.run("import", "enedis", str(path))
    expected = [(1800, number), (3600, number // 2), (86400, 3 * 365)]
    found = place.ask("SELECT step, count(*), sum(east) FROM storage_rollup GROUP BY step ORDER BY step")
    assert [row[:2] for row in found] == expected
    assert found[0][2] == found[1][2]
    assert place.ask("SELECT rows FROM storage_import") == [(sum(n for _, n in expected),)]


def test_the_owner_may_say_which_way_it_must_be(meter: Meter, csv_file: Write) -> None:
    path = csv_file(*curve("2026-11-01T00:30+01:00", [100] * 2, way=""))
    take(path, meter, Direction.INJECTED)
    assert rows(3600, "east", "eait") == [(MIDNIGHT, None, 100)]
