"""The command line as an owner meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.cli import simulate
from bridge.simulated.plan import OPTIONS
from bridge.tic.catalogue import FIELDS

ROOT = Path(__file__).resolve().parents[1]
CAPTURES = ROOT / "tests" / "captures"


def ticbridge(
    folder: Path, *arguments: str, stdin: bytes = b"", environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("TICBRIDGE_")}
    kept |= {"PYTHONPATH": str(ROOT), "TICBRIDGE_BRIDGE__STATE_DIR": str(folder / "state"), **(environment or {})}
    command = [sys.executable, "-m", "ticbridge", *arguments]
    return subprocess.run(command, cwd=folder, env=kept, input=stdin, capture_output=True, check=False)


def test_help_opens_no_room(tmp_path: Path) -> None:
    code = (
        "import sys; sys.argv[1:] = ['--help']\n"
        "from ticbridge.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print(sorted({'django', 'serial', 'paho', 'pydantic', 'yaml', 'uvicorn'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Usage: ticbridge")
    assert done.stderr == "[]\n"


@pytest.mark.parametrize("name", ["std_tri_tempo_producer", "hist_mono_tempo_demain_rouge"])
def test_decode_prints_every_group_of_a_capture(name: str, tmp_path: Path) -> None:
    done = ticbridge(tmp_path, "decode", str(CAPTURES / f"{name}.tic"), "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    expected = json.loads((CAPTURES / f"{name}.json").read_text())
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


def test_decode_names_a_terminal_that_is_not_raw_and_decodes_all_the_same(tmp_path: Path) -> None:
    cooked = CAPTURES / "hist_tri_base_cooked_tty.tic"
    done = ticbridge(tmp_path, "decode", str(cooked))
    assert done.returncode == 0
    assert done.stderr.decode().startswith(f"ticbridge: The terminal is not raw: on {cooked} CR and LF are exchanged")
    assert done.stdout.count(b"--- frame ") == 5


def test_decode_reads_standard_input_and_stops_after_a_count(tmp_path: Path) -> None:
    capture = (CAPTURES / "hist_mono_tempo_demain_rouge.tic").read_bytes()
    done = ticbridge(tmp_path, "decode", "-", "--count", "2", stdin=capture)
    assert done.returncode == 0
    headings = [line for line in done.stdout.decode().splitlines() if line.startswith("---")]
    meter = json.loads((CAPTURES / "hist_mono_tempo_demain_rouge.json").read_text())[0]["meter"]
    assert headings == [f"--- frame {n}: historique, meter {meter}" for n in (1, 2)]


def test_decode_of_noise_exits_1_with_a_count(tmp_path: Path) -> None:
    noise = bytes((7 * n * n + n // 3) % 256 for n in range(4000)) + b"\x02\nEAST\t12\tX\r\x03"
    (tmp_path / "noise.tic").write_bytes(noise)
    done = ticbridge(tmp_path, "decode", "noise.tic", "--json")
    refused = sum(len(json.loads(line)["refused"]) for line in done.stdout.splitlines())
    frames = len(done.stdout.splitlines())
    assert done.returncode == 1
    assert refused > 0
    said = f"ticbridge: no valid group in noise.tic: {frames} frames seen, {refused} groups refused\n"
    assert done.stderr.decode() == said


def test_decode_of_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    done = ticbridge(tmp_path, "decode", "nowhere.tic")
    assert done.returncode == 1
    assert done.stderr == b"ticbridge: nowhere.tic cannot be read (No such file or directory): is the name right?\n"


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        ("mqtt: {port: many}", "mqtt.port: 'many' will not do; expected a whole number"),
        ("mqtt: {prot: 1883}", "mqtt.prot: no such key; expected one of base_topic, host, keepalive, password_file"),
        ("meters: [{id: 021061340437}]", "meters.0.id: 2294661407 will not do; expected text: put it between quotes"),
        ("- 1", "list at the top; expected sections such as `mqtt:`"),
        ("mqtt: {password: hunter2}", "mqtt.password: no password may stand here; expected mqtt.password_file"),
    ],
)
def test_a_wrong_configuration_names_key_value_and_expectation(yaml: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(yaml)
    done = ticbridge(tmp_path, "bridge")
    assert done.returncode == 78
    assert said in done.stderr.decode()
    assert "hunter2" not in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


@pytest.mark.parametrize("command", ["store", "web", "manage"])
def test_every_service_refuses_a_wrong_configuration_alike(command: str, tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("storage: {database: mysql://x/y}")
    done = ticbridge(tmp_path, command)
    assert done.returncode == 78
    assert b"storage.database: 'mysql' will not do; expected sqlite:///" in done.stderr
    assert b"Traceback" not in done.stderr


def test_web_without_a_database_says_what_to_do_and_exits_69(tmp_path: Path) -> None:
    done = ticbridge(
        tmp_path,
        "web",
        "--wait",
        "0.1",
        environment={"TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{tmp_path}/db.sqlite3"},
    )
    assert done.returncode == 69
    assert b"ticbridge: the database is not up to date after 0.1 s: does `ticbridge store` run?" in done.stderr


def test_simulate_writes_frames_that_decode(tmp_path: Path) -> None:
    with (tmp_path / "out.tic").open("wb") as out:
        done = subprocess.run(
            [sys.executable, "-m", "ticbridge", "simulate", "--frames", "5", "--contract", "hchp", "--phases", "3"],
            cwd=ROOT, stdout=out, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b'{"simulated": 5}\n')
    decoded = ticbridge(tmp_path, "decode", "out.tic", "--json")
    lines = [json.loads(line) for line in decoded.stdout.splitlines()]
    assert [(line["complete"], line["refused"], line["meter"]) for line in lines] == [(True, [], "042176000001")] * 5


def test_simulate_stops_at_a_frames_end(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "ticbridge", "simulate", "--stdout"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    )  # fmt: skip
    assert process.stdout is not None
    first = process.stdout.read(1)
    process.send_signal(signal.SIGTERM)
    rest, said = process.communicate(timeout=20)
    assert (first, rest[-1:], process.returncode) == (b"\x02", b"\x03", 0)
    assert json.loads(said) == {"simulated": (first + rest).count(b"\x02")}


def test_labels_lists_the_catalogue(tmp_path: Path) -> None:
    rows = json.loads(ticbridge(tmp_path, "labels", "--json").stdout)
    assert [(row["label"], row["slug"]) for row in rows] == [(field.label, field.slug) for field in FIELDS]


def test_an_unknown_command_is_wrong_use(tmp_path: Path) -> None:
    done = ticbridge(tmp_path, "fly")
    assert done.returncode == 2
    assert b"No such command 'fly'" in done.stderr


# --- recording -----------------------------------------------------------------------------------


def test_capture_records_the_first_meter_of_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text('meters: [{source: "sim:base?mode=historique&speed=50"}]')
    done = ticbridge(tmp_path, "capture", "out.tic", "--seconds", "0.3")
    recorded = (tmp_path / "out.tic").read_bytes()
    assert (done.returncode, done.stderr.decode()) == (0, f"ticbridge: {len(recorded)} bytes written to out.tic\n")
    assert recorded.count(b"\x02\nADCO 042161000001") == recorded.count(b"\x02") > 1


def test_capture_records_a_source_byte_for_byte(tmp_path: Path) -> None:
    recorded = bytes(n % 256 for n in range(10_000))
    (tmp_path / "in.tic").write_bytes(recorded)
    done = ticbridge(tmp_path, "capture", "out.tic", "--source", "in.tic")
    assert done.returncode == 0
    assert (tmp_path / "out.tic").read_bytes() == recorded


def test_capture_stops_at_a_signal_and_keeps_what_it_has(tmp_path: Path) -> None:
    out = tmp_path / "out.tic"
    process = subprocess.Popen(
        [sys.executable, "-m", "ticbridge", "capture", str(out), "--source", "sim:base?speed=200"],
        cwd=ROOT, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not out.exists() or not out.stat().st_size:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    recorded = out.read_bytes()
    assert (process.returncode, said.decode()) == (0, f"ticbridge: {len(recorded)} bytes written to {out}\n")
    assert recorded.count(b"\nADSC\t042161000001\t") == recorded.count(b"\x02") > 1


def test_capture_may_anonymise_what_it_records(tmp_path: Path) -> None:
    done = ticbridge(tmp_path, "capture", "out.tic", "--source", "sim:base", "--seconds", "0.1", "--anonymise")
    recorded = (tmp_path / "out.tic").read_bytes()
    said = f"ticbridge: {len(recorded)} bytes written to out.tic, 2 numbers replaced in 2 groups\n"
    assert (done.returncode, done.stderr.decode()) == (0, said)
    assert b"\nADSC\t042161" in recorded
    assert b"042161000001" not in recorded


def test_capture_of_nothing_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "empty.tic").write_bytes(b"")
    done = ticbridge(tmp_path, "capture", "out.tic", "--source", "empty.tic")
    assert (done.returncode, (tmp_path / "out.tic").exists()) == (1, False)
    assert done.stderr == b"ticbridge: nothing arrived from empty.tic: is it the right one, do the wires hold?\n"


def test_capture_of_a_source_that_is_not_there_says_so_and_leaves_no_file(tmp_path: Path) -> None:
    done = ticbridge(tmp_path, "capture", "out.tic", "--source", "/dev/ttyNOWHERE", "--mode", "standard")
    assert (done.returncode, (tmp_path / "out.tic").exists()) == (1, False)
    assert done.stderr.startswith(b"ticbridge: The port /dev/ttyNOWHERE does not exist")


@pytest.mark.parametrize("command", [("capture", "--source", "in.tic"), ("anonymise", "in.tic")])
def test_a_recording_is_never_overwritten(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "in.tic").write_bytes(b"x")
    (tmp_path / "out.tic").write_bytes(b"precious")
    done = ticbridge(tmp_path, *command, "out.tic")
    assert (done.returncode, done.stderr) == (1, b"ticbridge: out.tic exists: give another name\n")
    assert (tmp_path / "out.tic").read_bytes() == b"precious"


def test_anonymise_replaces_the_numbers_and_keeps_the_rest(tmp_path: Path) -> None:
    capture = (CAPTURES / "std_tri_tempo_producer.tic").read_bytes()
    (tmp_path / "in.tic").write_bytes(capture)
    done = ticbridge(tmp_path, "anonymise", "in.tic", "out.tic")
    new = (tmp_path / "out.tic").read_bytes()
    said = f"ticbridge: {len(capture)} bytes written to out.tic, 2 numbers replaced in 2 groups\n"
    assert (done.returncode, done.stderr.decode()) == (0, said)
    changed = [one for one, other in zip(capture.split(b"\n"), new.split(b"\n"), strict=True) if one != other]
    [frame] = json.loads((CAPTURES / "std_tri_tempo_producer.json").read_text())
    assert [line.decode().split("\t")[:2] for line in changed] == [
        ["ADSC", frame["values"]["adsc"]],
        ["PRM", frame["values"]["prm"]],
    ]


def test_anonymise_makes_up_the_same_with_a_seed_and_reads_and_writes_pipes(tmp_path: Path) -> None:
    capture = (CAPTURES / "hist_mono_tempo_demain_rouge.tic").read_bytes()
    once, again, other, random = (
        ticbridge(tmp_path, "anonymise", "-", "-", *seed, stdin=capture).stdout
        for seed in (("--seed", "1"), ("--seed", "1"), ("--seed", "2"), ())
    )
    assert once == again
    assert len({once, other, random, capture}) == 4
    assert {len(done) for done in (once, other, random)} == {len(capture)}


def test_anonymise_of_what_cannot_be_read_or_written_is_one_sentence(tmp_path: Path) -> None:
    done = ticbridge(tmp_path, "anonymise", "nowhere.tic", "out.tic")
    said = b"ticbridge: nowhere.tic cannot be read (No such file or directory): is the name right?\n"
    assert (done.returncode, done.stderr, (tmp_path / "out.tic").exists()) == (1, said, False)
    done = ticbridge(tmp_path, "anonymise", str(CAPTURES / "std_tri_tempo_producer.tic"), "nowhere/out.tic")
    said = b"ticbridge: nowhere/out.tic cannot be written (No such file or directory): is the name right?\n"
    assert (done.returncode, done.stderr) == (1, said)


# --- simulating ----------------------------------------------------------------------------------


def test_simulate_has_the_options_of_a_simulated_source() -> None:
    options = {option.name for option in simulate.params}
    assert options - {"limit", "tcp", "pty", "stdout"} == set(OPTIONS)


def test_simulate_from_a_given_time_says_the_same_each_time(tmp_path: Path) -> None:
    options = ("--start", "2026-01-15T18:00", "--frames", "3", "--speed", "100", "--corrupt", "0.5", "--overload")
    once, again = (ticbridge(tmp_path, "simulate", *options).stdout for _ in range(2))
    assert once == again
    assert b"DATE\tH260115180000\t" in once


def test_simulate_from_no_time_is_wrong_use(tmp_path: Path) -> None:
    done = ticbridge(tmp_path, "simulate", "--start", "noon")
    assert done.returncode == 2
    assert b"'noon' will not do; expected a local time such as 2026-01-15T18:00" in done.stderr
