"""`ticbridge manage capture_tic`: a real port, a real database, no broker."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any, Final

import psycopg
import pytest
from django.core.management import CommandError, call_command

from benchmarks.frames import standard as frames_of_standard
from bridge.config import MeterSettings, Settings
from bridge.outlets import PseudoTerminal, TcpServer
from bridge.port import SerialSource
from bridge.tic.values import write_stamp
from storage.capture import Capture
from storage.ingest import ingest
from storage.models import Data, Epoch, Gap
from storage.order import Order, banner, chosen_meter
from storage.selection import Selection
from tests.bridge.wire import METER, frame, standard
from tests.broker.conftest import PATIENCE, Program, Run, free_port, run
from tests.broker.test_chain import HISTORIQUE, STANDARD
from tests.postgresql import PostgreSQL
from tests.storage.test_ingest import TOPICS, stops
from tests.storage.test_ingest import at as taken_at
from tests.storage.test_ingest import incoming as sent

__all__ = ["run"]

KEEP: Final = {"raw": "forever"}  # else a recording of last winter would be thinned while we look
CAPTURES: Final = Path(__file__).parents[1] / "captures"


@pytest.fixture
def port() -> Iterator[PseudoTerminal]:
    terminal = PseudoTerminal()
    yield terminal
    terminal.close()


@pytest.fixture
def signals() -> Iterator[None]:
    """A capture in this process takes over what ends it."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def capture(run: Run, folder: Path, *options: str, rows: int = 4, seconds: float = 0.2, **more: Any) -> Program:
    """The command on a database of the folder."""
    config = {
        "bridge": {"id": "pi", "state_dir": str(folder / "state")},
        "storage": {
            "database": f"sqlite:///{folder / 'db.sqlite3'}",
            "batch": {"rows": rows, "seconds": seconds},
            "keep": KEEP,
        },
        **more,
    }
    return run(config, "manage", "capture_tic", *options)


def rows(folder: Path) -> list[dict[str, Any]]:  # by column
    """What is in the database, oldest first; nothing while there is none."""
    with closing(sqlite3.connect(folder / "db.sqlite3")) as connection:
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute("SELECT * FROM storage_data ORDER BY epoch_id, seq")]
        except sqlite3.OperationalError:
            return []


def until(true: Callable[[], bool]) -> None:
    """Wait for what another process does."""
    end = monotonic() + PATIENCE
    while not true():
        if monotonic() > end:
            pytest.fail("it did not happen")
        threading.Event().wait(0.02)


def write_and_wait(port: PseudoTerminal, data: bytes) -> None:
    """Write to a port; what was written is read when this returns: more follows it than a port holds."""
    rest = data + b"\x02" + b"." * 100_000
    while rest:
        rest = rest[os.write(port.master, rest) :]


def made(number: int, **groups: str) -> bytes:
    """A small frame of mode standard, `number` seconds after eight o'clock."""
    at = datetime(2026, 1, 15, 7, tzinfo=UTC) + timedelta(seconds=number)
    data = {"EAST": f"{1000 + number:09}", "SINSTS": f"{500 + number:05}", **groups}
    return frame(
        standard("ADSC", METER),
        standard("DATE", write_stamp(at), ""),
        *(standard(label, text) for label, text in data.items()),
    )


# --- frames to rows ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "mode", "columns"),
    [
        ("std_tri_tempo_producer", "standard", {column: column for column in STANDARD}),
        ("hist_mono_tempo_demain_rouge", "historique", HISTORIQUE),
    ],
)
def test_each_frame_of_a_port_becomes_a_row_that_equals_it_field_by_field(
    name: str, mode: str, columns: dict[str, str], port: PseudoTerminal, run: Run, tmp_path: Path
) -> None:
    times = 5 if mode == "standard" else 1  # of the one a single frame was recorded
    expected = json.loads((CAPTURES / f"{name}.json").read_text()) * times
    program = capture(run, tmp_path, "--port", port.name, "--mode", mode)
    program.wait_for(f"Reading {port.name}")
    for _ in range(times):
        port.write((CAPTURES / f"{name}.tic").read_bytes())
    until(lambda: len(rows(tmp_path)) == len(expected))
    assert program.stop() == 0
    speed = {"standard": 9600, "historique": 1200}[mode]
    assert f"Capturing from {port.name}: {speed} baud, mode {mode}" in program.wait_for("Capturing")
    assert program.counts() == {
        "decoded": len(expected), "refused": 0, "stored": len(expected), "duplicates": 0, "mismatched": 0, "dead": 0,
        "lacking": 0,
    }  # fmt: skip
    stored = rows(tmp_path)
    assert [row["seq"] for row in stored] == list(range(1, len(expected) + 1))
    for row, values in zip(stored, (one["values"] for one in expected), strict=True):
        assert {c: row[c] for c in columns} == {c: values.get(slug) for c, slug in columns.items()}


def test_a_damaged_frame_costs_what_is_damaged_and_nothing_ends(port: PseudoTerminal, run: Run, tmp_path: Path) -> None:
    program = capture(run, tmp_path, "--port", port.name, "--mode", "standard")
    program.wait_for(f"Reading {port.name}")
    damaged = made(3).replace(b"EAST\t000001003", b"EAST\t000001OO3")
    for each in (
        b"noise\x03\x02",
        made(1),
        made(2),
        damaged,
        b"\x02\nEAST\t0000",
        b"\x7f\x00\x04" * 50,
        made(4),
        made(5),
    ):
        port.write(each)
    until(lambda: len(rows(tmp_path)) == 5)
    assert program.stop() == 0
    assert [(row["east"], row["sinsts"]) for row in rows(tmp_path)] == [
        (1001, 501), (1002, 502), (None, 503), (1004, 504), (1005, 505),
    ]  # fmt: skip
    assert program.counts()["refused"] >= 1


# --- ends ----------------------------------------------------------------------------------------


def test_a_signal_in_a_batch_writes_it_and_frees_the_port(port: PseudoTerminal, run: Run, tmp_path: Path) -> None:
    program = capture(run, tmp_path, "--port", port.name, "--mode", "standard", rows=500, seconds=600)
    program.wait_for(f"Reading {port.name}")
    write_and_wait(port, b"".join(made(number) for number in range(5)))
    assert rows(tmp_path) == []
    assert program.stop() == 0
    SerialSource(port.name).close()
    assert [row["east"] for row in rows(tmp_path)] == [1000, 1001, 1002, 1003, 1004]
    assert program.counts()["stored"] == 5
    assert json.loads((tmp_path / "state" / "indexes.json").read_text())[METER]["east"][0] == 1004


def test_an_interrupt_is_a_signal_too(port: PseudoTerminal, run: Run, tmp_path: Path) -> None:
    program = capture(run, tmp_path, "--port", port.name, "--mode", "standard")
    program.wait_for(f"Reading {port.name}")
    assert program.stop(signal.SIGINT) == 0
    assert program.counts()["stored"] == 0


def test_an_unplugged_port_is_waited_for(port: PseudoTerminal, run: Run, tmp_path: Path) -> None:
    terminal = PseudoTerminal()
    program = capture(run, tmp_path, "--port", terminal.name, "--mode", "standard")
    program.wait_for(f"Reading {terminal.name}")
    terminal.close()
    program.wait_for("Trying again until it works")
    assert program.stop() == 0


def test_a_line_that_comes_back_is_read_on(run: Run, tmp_path: Path) -> None:
    number, stopping, sent_now = free_port(), threading.Event(), 0
    program = capture(run, tmp_path, "--port", f"socket://127.0.0.1:{number}", "--mode", "standard")
    for wanted in (3, 6):
        server = TcpServer(number, stopping)

        def has_come(server: TcpServer = server, wanted: int = wanted) -> bool:
            nonlocal sent_now
            server.write(made(sent_now))  # what comes with the connection is thrown away by pyserial
            sent_now += 1
            return len(rows(tmp_path)) >= wanted

        until(has_come)
        server.close()
        program.wait_for(f"socket://127.0.0.1:{number} is gone")
    assert program.stop() == 0
    stored = rows(tmp_path)
    assert [row["seq"] for row in stored] == list(range(1, len(stored) + 1))
    assert [row["east"] for row in stored] == sorted({row["east"] for row in stored})


def test_a_kill_loses_a_batch_at_most_and_a_second_run_stores_nothing_twice(run: Run, tmp_path: Path) -> None:
    number = 600
    path = tmp_path / "line.tic"
    path.write_bytes(b"".join(frames_of_standard(number)))
    program = capture(run, tmp_path, "--port", str(path), rows=10)
    until(lambda: len(rows(tmp_path)) >= 30)
    program.stop(signal.SIGKILL)
    before = rows(tmp_path)
    assert len(before) < number
    assert len(before) % 10 == 0
    again = capture(run, tmp_path, "--port", str(path))
    assert again.wait() == 0
    stored = rows(tmp_path)
    assert [row["seq"] for row in stored] == list(range(1, number + 1))
    assert len({row["epoch_id"] for row in stored}) == 1
    assert stored[: len(before)] == before
    counts = again.counts()
    assert (counts["stored"], counts["duplicates"]) == (number - len(before), len(before))


def test_postgresql_takes_the_same(run: Run, tmp_path: Path) -> None:
    half = frame(standard("ADSC", METER), standard("DATE", "H260115080002", ""), standard("EAST", "000001002"))
    path = tmp_path / "line.tic"
    path.write_bytes(made(0) + made(1) + half + made(3, UMOY1="231", RELAIS="001"))
    cluster = PostgreSQL()
    try:
        storage = {"database": cluster.url, "fields": "all", "required": ["sinsts"], "keep": KEEP}
        first = capture(run, tmp_path, "--port", str(path), storage=storage)
        assert first.wait() == 0, first.said
        again = capture(run, tmp_path, "--port", str(path), storage=storage)
        assert again.wait() == 0, again.said
        with closing(psycopg.connect(cluster.url)) as connection:
            stored = connection.execute("SELECT seq, east, extra FROM storage_data ORDER BY seq").fetchall()
            gaps = connection.execute("SELECT reason, first, last FROM storage_gap").fetchall()
    finally:
        cluster.close()
    address = {"adsc": METER}
    assert stored == [(1, 1000, address), (2, 1001, address), (4, 1003, {**address, "relais": 1})]
    assert gaps == [("lacking", 3, 3)]
    assert {key: first.counts()[key] for key in ("stored", "lacking", "duplicates")} == {
        "stored": 3, "lacking": 1, "duplicates": 0,
    }  # fmt: skip
    assert {key: again.counts()[key] for key in ("stored", "lacking", "duplicates")} == {
        "stored": 0, "lacking": 0, "duplicates": 4,
    }  # fmt: skip


def test_failing_writes_end_it_with_one_sentence(run: Run, tmp_path: Path) -> None:
    program = capture(run, tmp_path, "--port", "sim:base?speed=50", "--no-migrate", "--max-errors", "2")
    assert program.wait() == 1
    [said] = [line for line in program.said if "ERROR ticbridge.capture" in line]
    assert said.endswith(
        "The database could not be written 2 times in a row (no such table: storage_meter): does it run, is there room "
        "on the disk?"
    )
    assert program.counts()["stored"] == 0


def test_a_lock_is_waited_for_and_a_signal_ends_the_wait(run: Run, tmp_path: Path) -> None:
    assert capture(run, tmp_path, "--port", "sim:base?speed=50", "--once").wait() == 0
    assert len(rows(tmp_path)) == 1
    with closing(sqlite3.connect(tmp_path / "db.sqlite3", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        stopped = capture(run, tmp_path, "--port", "sim:base?speed=50", "--no-migrate")
        stopped.wait_for("The database cannot be written (database is locked)")
        assert stopped.stop() == 1
        stopped.wait_for("Stopped while the database could not be written")
        waiting = capture(run, tmp_path, "--port", "sim:base?speed=50", "--no-migrate", "--once", "--max-errors", "1")
        waiting.wait_for("The database cannot be written (database is locked)")
        connection.execute("COMMIT")
    assert waiting.wait() == 0
    assert len(rows(tmp_path)) == 2


# --- options -------------------------------------------------------------------------------------


def test_a_dry_run_prints_the_frames_and_writes_nothing(port: PseudoTerminal, run: Run, tmp_path: Path) -> None:
    program = capture(run, tmp_path, "--port", port.name, "--baud", "9600", "--dry-run", "--once")
    program.wait_for(f"Reading {port.name}")
    port.write(made(1) + made(2))
    shown = program.output()
    assert shown.splitlines() == [
        f"--- frame 1: standard, meter {METER}",
        f"ADSC       {METER}  -- Adresse du compteur",
        "DATE       2026-01-15T08:00:01+01:00  -- Horloge du compteur",
        "EAST       1001 Wh  -- Énergie soutirée totale",
        "SINSTS     501 VA  -- Puissance apparente",
    ]
    assert not (tmp_path / "db.sqlite3").exists()
    assert not (tmp_path / "state" / "indexes.json").exists()


def test_a_dry_run_of_a_file_prints_it_all(run: Run, tmp_path: Path) -> None:
    path = CAPTURES / "hist_mono_tempo_demain_rouge.tic"
    shown = capture(run, tmp_path, "--port", str(path), "--dry-run").output()
    expected = json.loads((CAPTURES / "hist_mono_tempo_demain_rouge.json").read_text())
    assert shown.count("--- frame ") == len(expected)
    assert not (tmp_path / "db.sqlite3").exists()


def test_help_opens_no_port_and_no_database(run: Run, tmp_path: Path) -> None:
    program = capture(run, tmp_path, "--help", meters=[{"source": "/dev/there-is-none"}])
    shown = program.output()
    for option in ("--port", "--baud", "--mode", "--once", "--dry-run", "--max-errors", "--interval", "--start"):
        assert option in shown
    assert program.said == []
    assert not (tmp_path / "db.sqlite3").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--baud", "1200", "--mode", "standard"), "--baud 1200 is mode historique, not standard"),
        (("--max-errors", "0"), "'0' will not do; expected a number from 1"),
        (("--interval", "often"), "'often' will not do; expected a number from 0"),
        (("--start", "noon"), "'noon' will not do; expected a local time such as 2026-01-15T18:00"),
        (("--baud", "300"), "invalid choice: 300"),
        (("--port", "nowhere.tic"), "nowhere.tic cannot be read (No such file or directory): is the name right?"),
    ],
)
def test_wrong_use_is_one_sentence(options: tuple[str, ...], said: str) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("capture_tic", *options)
    assert said in str(caught.value)


def test_the_banner_says_port_speed_and_mode() -> None:
    assert [banner(MeterSettings(source=source, mode=mode)) for source, mode in (
        ("/dev/ttyUSB0", "historique"), ("auto", "auto"), ("a.tic", "auto"),
    )] == [
        "Capturing from /dev/ttyUSB0: 1200 baud, mode historique",
        "Capturing from auto: speed and mode are found by listening",
        "Reading the recorded file a.tic",
    ]  # fmt: skip


# --- recorded files ------------------------------------------------------------------------------


def recorded(
    folder: Path, data: bytes, config: dict[str, Any] | None = None, **order: Any
) -> tuple[int, dict[str, int]]:
    """Read a file in this process; the exit code and the counts."""
    path = folder / "line.tic"
    path.write_bytes(data)
    settings = Settings.model_validate({"bridge": {"id": "pi", "state_dir": folder / "state"}, **(config or {})})
    said: list[str] = []
    code = Capture(settings, Order(MeterSettings(source=str(path)), **order)).run(said.append)
    [line] = said
    return code, json.loads(line)


def times() -> list[float]:
    """When the readings are dated, in seconds after eight o'clock."""
    eight = datetime(2026, 1, 15, 7, tzinfo=UTC)
    return [
        round((at - eight).total_seconds(), 3) for at in Data.objects.order_by("seq").values_list("dateTime", flat=True)
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_a_recorded_reading_is_of_the_meters_own_time(tmp_path: Path) -> None:
    assert recorded(tmp_path, made(0) + made(1) + made(90))[0] == 0
    assert times() == [0.0, 1.0, 90.0]
    assert all(row.dateTime == row.stamp_utc for row in Data.objects.all())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_of_a_minute_of_frames_each_second_and_a_half_an_interval_of_ten_seconds_keeps_six(tmp_path: Path) -> None:
    frames = b"".join(made(int(1.5 * n), EAST=f"{1000 + n:09}") for n in range(40))
    assert recorded(tmp_path, frames, interval=10.0)[1]["stored"] == 6
    assert times() == [0.0, 10.0, 21.0, 31.0, 42.0, 52.0]
    # With every frame, later: those that are there are known by their number in the file.
    counts = recorded(tmp_path, frames)[1]
    assert (counts["stored"], counts["duplicates"], counts["mismatched"]) == (34, 6, 0)
    assert Epoch.objects.get().handled == 40
    assert not Gap.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_each_hundred_readings_are_told_with_the_last_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ticbridge.capture")
    recorded(tmp_path, b"".join(made(n) for n in range(230)), {"storage": {"batch": {"rows": 20}}})
    said = [record.getMessage() for record in caplog.records if "readings stored" in record.getMessage()]
    assert [line.partition(": {")[0] for line in said] == [
        "100 readings stored, the last of 2026-01-15T07:01:39.000Z",
        "200 readings stored, the last of 2026-01-15T07:03:19.000Z",
    ]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_once_stores_one_reading(tmp_path: Path) -> None:
    code, counts = recorded(tmp_path, b"".join(made(n) for n in range(9)), once=True)
    assert (code, counts["stored"], times()) == (0, 1, [0.0])


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_what_a_recording_saw_was_no_stop(tmp_path: Path) -> None:
    ingest(TOPICS, sent(taken_at(0, 1), taken_at(7200, 2)), Selection())
    Data.objects.filter(seq=2).delete()
    ingest(TOPICS, sent(taken_at(7200, 1, "99999999-2222-4333-8444-555555555555")), Selection())
    assert stops() == [(0.0, 7200.0)]
    noon = datetime(2026, 11, 21, 10, tzinfo=UTC)

    def second(number: int) -> bytes:
        return frame(standard("ADSC", METER), standard("DATE", write_stamp(noon + timedelta(seconds=number)), ""))

    assert recorded(tmp_path, second(1800) + second(3600))[1]["stored"] == 2
    assert sorted(stops()) == [(0.0, 1800.0), (3600.0, 7200.0)]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_a_historique_recording_begins_when_its_owner_says(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = (CAPTURES / "hist_tri_base_linky.tic").read_bytes()
    assert recorded(tmp_path, data)[0] == 1
    [said] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == f"The frames of {tmp_path / 'line.tic'} tell no time: give --start, when the recording begins"
    assert not Data.objects.exists()
    start = datetime(2026, 1, 15, 7, tzinfo=UTC)
    assert recorded(tmp_path, data, start=start)[0] == 0
    assert times()[0] == 0.0
    assert times() == sorted(times())


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_what_is_no_recording_is_one_sentence(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert recorded(tmp_path, os.urandom(3000))[0] == 1
    [said] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == f"There is no reading in {tmp_path / 'line.tic'}: is it the recording of a meter?"


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("signals")
def test_fields_and_required_count_here_too(tmp_path: Path) -> None:
    config = {"storage": {"fields": ["umoy1"], "required": ["sinsts"]}}
    half = frame(standard("ADSC", METER), standard("DATE", "H260115080001", ""), standard("EAST", "000001001"))
    code, counts = recorded(tmp_path, made(0) + half + made(2), config)
    assert (code, counts["stored"], counts["lacking"]) == (0, 2, 1)


def test_a_configured_port_keeps_its_meters_options() -> None:
    house = MeterSettings(source="/dev/ttyUSB0", id="house", timezone="Indian/Reunion")
    barn = MeterSettings(source="/dev/ttyUSB1", id="barn", mode="standard")
    meters = [house, barn]
    assert chosen_meter(meters, None, None, None) == house
    assert chosen_meter(meters, "/dev/ttyUSB1", None, None) == barn
    assert chosen_meter(meters, "/dev/ttyUSB1", None, 1200) == barn.model_copy(update={"mode": "historique"})
    # Whose line that is is not known: it gets nobody's id.
    assert chosen_meter(meters, "/dev/ttyUSB9", "auto", None) == MeterSettings(
        source="/dev/ttyUSB9", timezone="Indian/Reunion"
    )
