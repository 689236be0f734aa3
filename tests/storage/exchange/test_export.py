"""Data out: whole, in order, safe to open, and with flat memory."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from storage.exchange.export import BUCKET_HEADER, RAW_HEADER, Csv, JsonLines, Period, best, export
from storage.models import Data, Epoch, Meter, Rollup
from tests.storage.exchange.conftest import ROOT, Place

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def meter() -> Meter:
    return Meter.objects.create(meter_id="042176000001", mode="standard", timezone="Europe/Paris")


def reading(meter: Meter, seq: int, at: datetime, **values: Any) -> None:
    epoch, _ = Epoch.objects.get_or_create(
        meter=meter, uuid=uuid.UUID(int=1), defaults={"bridge": "pi", "handled": 0, "floor": 1}
    )
    Data.objects.create(meter=meter, epoch=epoch, seq=seq, dateTime=at, **values)


def given(meters: list[Meter], step: str, form: str = "csv", period: Period | None = None) -> str:
    file = io.StringIO(newline="")
    header = RAW_HEADER if step == "raw" else BUCKET_HEADER
    writer = JsonLines(file, header) if form == "jsonl" else Csv(file, header, french=form == "french")
    number = export(meters, step, {meter.pk: period or Period() for meter in meters}, writer, lambda _: None)
    assert file.getvalue().count("\n") == number + (form != "jsonl")
    return file.getvalue()


def table(text: str, delimiter: str = ",") -> list[dict[str, str]]:
    """Its rows without what is empty."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter)
    return [{name: value for name, value in row.items() if value} for row in rows]


# --- readings ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_readings_are_given_in_the_order_of_time_with_their_offset(meter: Meter) -> None:
    reading(meter, 1, AT, date="H261128103000", ltarf="HP", ntarf=2, east=5, sinsts=0, extra={"é": 1})
    reading(meter, 2, AT - timedelta(milliseconds=250), east=4)
    expected: list[dict[str, Any]] = [
        {"time": "2026-11-28T10:29:59.750+01:00", "meter": "042176000001", "east": 4},
        {
            "time": "2026-11-28T10:30:00+01:00", "meter": "042176000001", "date": "H261128103000", "ltarf": "HP",
            "ntarf": 2, "east": 5, "sinsts": 0, "extra": '{"é": 1}',
        },
    ]  # fmt: skip
    assert [json.loads(line) for line in given([meter], "raw", "jsonl").splitlines()] == expected
    assert table(given([meter], "raw")) == [{name: str(value) for name, value in row.items()} for row in expected]


@pytest.mark.django_db
def test_a_french_spreadsheet_gets_its_own_csv(meter: Meter) -> None:
    for hour in (0, 1):  # the October hour that comes twice
        at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        Rollup.objects.create(meter=meter, step=3600, start=at, east=1234, readings=4, sinsts_sum=10, has_reset=True)
    text = given([meter], "hour", "french")
    assert text.startswith("\ufefftime;meter;origin;readings;")
    assert text.count("\r\n") == text.count("\n") == 3
    row = {
        "time": "25/10/2026 02:30:00", "meter": "042176000001", "origin": "meter", "readings": "4", "covered": "0",
        "estimated": "0", "has_reset": "1", "sinsts_mean": "2,5", "east": "1234",
    }  # fmt: skip
    assert table(text, ";") == [row, row]
    assert [row["time"] for row in table(given([meter], "hour"))] == [
        "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00",
    ]  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["csv", "french"])
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_is_a_formula(form: str, text: str, meter: Meter) -> None:
    reading(meter, 1, AT, ltarf=text, sinsts=5)
    [row] = table(given([meter], "raw", form), ";" if form == "french" else ",")
    assert (row["ltarf"], row["sinsts"]) == (f"'{text}", "5")


@pytest.mark.django_db
def test_a_text_with_everything_in_it_comes_back(meter: Meter) -> None:
    text = 'a;b,c"d\ne é€'
    reading(meter, 1, AT, ltarf=text)
    for form, delimiter in (("csv", ","), ("french", ";")):
        file = io.StringIO(newline="")
        export([meter], "raw", {meter.pk: Period()}, Csv(file, RAW_HEADER, french=form == "french"), lambda _: None)
        assert table(file.getvalue(), delimiter)[0]["ltarf"] == text
    assert json.loads(given([meter], "raw", "jsonl"))["ltarf"] == text


@pytest.mark.django_db
def test_a_period_has_a_beginning_and_no_end_of_its_own(meter: Meter) -> None:
    for hour in range(5):
        reading(meter, hour + 1, AT + hour * HOUR, east=hour)
        Rollup.objects.create(meter=meter, step=3600, start=AT + hour * HOUR, east=hour)
    period = Period(AT + HOUR, AT + 3 * HOUR)
    for step in ("raw", "hour"):
        assert [row["east"] for row in table(given([meter], step, period=period))] == ["1", "2"]
    assert [row["east"] for row in table(given([meter], "raw", period=Period(ends=AT + HOUR)))] == ["0"]


@pytest.mark.django_db
def test_meters_come_one_after_the_other_each_on_its_own_clock(meter: Meter) -> None:
    island = Meter.objects.create(meter_id="974", mode="standard", timezone="Indian/Reunion")
    for one in (island, meter):
        reading(one, 1, AT, east=1)
    assert [(row["meter"], row["time"]) for row in table(given([meter, island], "raw"))] == [
        ("042176000001", "2026-11-28T10:30:00+01:00"), ("974", "2026-11-28T13:30:00+04:00"),
    ]  # fmt: skip


# --- whose energy --------------------------------------------------------------------------------


def row(origin: int, **fields: Any) -> dict[str, Any]:
    return {"origin": origin, "east": None, "eait": None, "readings": 0, "estimated": False, **fields}


METER = Rollup.Origin.METER
ENEDIS = Rollup.Origin.ENEDIS


@pytest.mark.parametrize(
    ("rows", "origin"),
    [
        ([row(METER, east=1, readings=1, estimated=True), row(ENEDIS, east=2)], METER),
        ([row(METER, east=1), row(ENEDIS, east=2)], METER),
        ([row(METER, east=1, estimated=True), row(ENEDIS, east=2)], ENEDIS),
        ([row(METER, east=1, estimated=True)], METER),
        ([row(METER, east=1, estimated=True), row(ENEDIS, sinsts_max=9)], METER),
        ([row(METER, readings=9), row(ENEDIS, eait=2)], ENEDIS),
        ([row(ENEDIS, east=2)], ENEDIS),
        ([row(METER, readings=9), row(ENEDIS, sinsts_max=9)], METER),
        ([row(ENEDIS, sinsts_max=9)], ENEDIS),
    ],
)
def test_the_energy_of_a_bucket_is_the_best_known(rows: list[dict[str, Any]], origin: int) -> None:
    assert best(rows)["origin"] == origin


@pytest.mark.django_db
def test_a_bucket_is_one_line_with_the_files_energy_and_the_meters_power(meter: Meter) -> None:
    Rollup.objects.create(
        meter=meter, step=3600, start=AT, readings=2, sinsts_sum=301, sinsts_min=100, sinsts_max=201, sinsti_readings=2,
        sinsti_sum=4, sinsti_max=3,
    )  # fmt: skip
    Rollup.objects.create(meter=meter, step=3600, start=AT, origin=ENEDIS, east=150, covered=3600)
    Rollup.objects.create(meter=meter, step=86400, start=AT, origin=ENEDIS, sinsts_max=4520)
    assert [json.loads(line) for line in given([meter], "hour", "jsonl").splitlines()] == [
        {
            "time": "2026-11-28T10:30:00+01:00", "meter": "042176000001", "origin": "enedis", "readings": 2,
            "covered": 3600, "estimated": False, "has_reset": False, "sinsts_mean": 150.5, "sinsts_min": 100,
            "sinsts_max": 201, "sinsti_mean": 2.0, "sinsti_max": 3, "east": 150,
        }
    ]  # fmt: skip
    assert table(given([meter], "day"))[0]["sinsts_max"] == "4520"


# --- the command ---------------------------------------------------------------------------------

FILL = """
from datetime import UTC, datetime, timedelta
from storage.models import *
meter = Meter.objects.create(meter_id="m", mode="standard", timezone="Europe/Paris")
epoch = Epoch.objects.create(meter=meter, uuid="11111111-2222-4333-8444-555555555555", bridge="pi", handled=0, floor=1)
first = datetime(2026, 11, 1, tzinfo=UTC)
Data.objects.bulk_create(
    [Data(meter=meter, epoch=epoch, seq=n, dateTime=first + n * timedelta(seconds=10), east=n) for n in range(1, {})],
    batch_size=500,
)
"""


@pytest.mark.slow
def test_the_command_writes_to_standard_output_or_replaces_a_file(place: Place) -> None:
    place.run("manage", "shell", "-c", FILL.format(20_001))
    out, said = place.run("export", "data", "--step", "raw", "--from", "2/11/2026", "--to", "2026-11-02")
    lines = out.splitlines()
    assert (len(lines), said) == (8641, "")
    assert (lines[1].partition(",")[0], lines[-1].partition(",")[0]) == (
        "2026-11-02T00:00:00+01:00", "2026-11-02T23:59:50+01:00",
    )  # fmt: skip
    target = place.folder / "out.csv"
    target.write_text("old")
    out, said = place.run("export", "data", "--step", "raw", "--excel-fr", "--output", "out.csv")
    assert (out, said.splitlines()[0], said.splitlines()[-1]) == (
        "", "ticbridge: written 10 %", "ticbridge: 20000 rows written to out.csv",
    )  # fmt: skip
    assert target.read_bytes().startswith(b"\xef\xbb\xbftime;meter;date;")
    assert target.read_bytes().count(b"\r\n") == 20_001
    out, said = place.run("export", "data", "--meter", "x", "--output", "out.csv", code=1)
    assert said == "ticbridge: there is no meter 'x'; known are m\n"
    assert target.read_bytes().count(b"\r\n") == 20_001
    assert sorted(path.name for path in place.folder.glob("*out*")) == ["out.csv"]
    assert "'noon' will not do; expected a date such as" in place.run("export", "data", "--from", "noon", code=2)[1]
    assert "--excel-fr is a kind of CSV" in place.run("export", "data", "--format", "jsonl", "--excel-fr", code=2)[1]


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_failure_to_speak_of(place: Place) -> None:
    place.run("manage", "shell", "-c", FILL.format(20_001))
    process = place.popen("export", "data", "--step", "raw")
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline().startswith("time,meter,")
    process.stdout.close()
    said = process.stderr.read()
    process.wait(timeout=30)
    process.stderr.close()
    assert "Traceback" not in said


MEASURED = """
import resource, sys
from ticbridge.__main__ import cli, open_rooms
open_rooms()
cli(sys.argv[1:], standalone_mode=False)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
"""


@pytest.mark.slow
def test_ten_times_the_rows_take_no_more_memory(place: Place) -> None:
    peaks = []
    for rows in (3_000, 30_000):
        place.do("DELETE FROM storage_data")
        place.do("DELETE FROM storage_epoch")
        place.do("DELETE FROM storage_meter")
        place.run("manage", "shell", "-c", FILL.format(rows + 1))
        done = subprocess.run(
            [sys.executable, "-c", MEASURED, "--config", "config.yaml", "export", "data", "--step", "raw"],
            cwd=place.folder, env={"PYTHONPATH": str(ROOT), "TICBRIDGE_BRIDGE__STATE_DIR": str(place.folder / "state")},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.count("\n") == rows + 1
        peaks.append(int(done.stderr.splitlines()[-1]))
    assert peaks[1] < peaks[0] + 4000, "kilobytes"


def test_the_file_that_is_read_is_named(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert "no such table" in place.run("export", "data", code=1)[1]
