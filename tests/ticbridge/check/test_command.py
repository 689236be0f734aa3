"""`ticbridge check` as its owner meets it, and what it can say altogether."""

from __future__ import annotations

import json
import string
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config import HomeAssistantSettings, Settings
from tests.ticbridge.check.provoked import provoked, rows
from tests.ticbridge.check.runs import check, found, quiet
from ticbridge.commands.check import config, running
from ticbridge.commands.check.finding import Case, Finding, State, Words
from ticbridge.commands.check.parts import MODULES, PARTS, cases
from ticbridge.commands.check.running import Part, run
from ticbridge.commands.check.scene import Scene

ALL = [case for part in MODULES for case in cases(part)]


# --- a run ---------------------------------------------------------------------------------------


def test_each_part_is_told_in_its_order_and_a_failure_is_the_exit_code(tmp_path: Path) -> None:
    done = check(tmp_path, quiet(tmp_path), "--language", "en")
    assert done.returncode == 1
    assert done.stderr == ""
    told = [
        line.partition("  ")[2].partition(":")[0] for line in done.stdout.splitlines() if line[:1] in "✓⚠✗–" and line
    ]
    assert list(dict.fromkeys(told)) == [part.name for part in PARTS]
    assert "✗ failed  broker: The broker 127.0.0.1:1 refuses connections.\n    Likely cause: it is not" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("1 failed, ")
    assert "\x1b" not in done.stdout  # colours are a terminal's


def test_as_json_it_is_a_list_of_objects(tmp_path: Path) -> None:
    done = check(tmp_path, quiet(tmp_path), "--json", "--language", "en")
    items = json.loads(done.stdout)
    assert {frozenset(item) for item in items} == {frozenset({"part", "case", "state", "sentence", "cause", "todo"})}
    assert {item["state"] for item in items} <= {"ok", "warning", "failed", "skipped"}
    [refused] = [item for item in items if item["state"] == "failed"]
    assert (refused["part"], refused["case"]) == ("broker", "broker-refused")


def test_it_speaks_the_language_of_the_configuration(tmp_path: Path) -> None:
    assert "✗ échec  serveur MQTT : Le serveur MQTT 127.0.0.1:1 refuse" in check(tmp_path, quiet(tmp_path)).stdout
    english = quiet(tmp_path, homeassistant={"language": "en"})
    assert "✗ failed  broker: The broker" in check(tmp_path, english).stdout


def test_where_a_sign_cannot_be_printed_a_plain_one_stands(tmp_path: Path) -> None:
    done = check(tmp_path, quiet(tmp_path), "--language", "en", PYTHONIOENCODING="ascii:replace")
    assert "\nx failed  broker:" in done.stdout


# --- the configuration ---------------------------------------------------------------------------


def test_a_wrong_configuration_is_a_finding_and_the_rest_is_looked_at(tmp_path: Path) -> None:
    said = found(tmp_path, "mqtt: {port: many}")
    assert provoked("for real", "mqtt: {port: many}", said["config-wrong"]) == "config-wrong"
    assert said["config-needed"].case.state is State.SKIPPED
    assert {"clock-right", "clock-unsynchronised"} & set(said)
    spoken = [check(tmp_path, "mqtt: {port: many}", LC_ALL=locale).stdout for locale in ("fr_FR.UTF-8", "C.UTF-8")]
    assert ["La configuration" in text for text in spoken] == [True, False]


def test_a_password_that_others_can_read(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    mqtt = {"host": "127.0.0.1", "port": 1, "username": "us", "password_file": str(secret)}
    said = found(tmp_path, quiet(tmp_path, mqtt=mqtt))
    assert provoked("for real", "mqtt.password_file with mode 0644", said["secret-unreadable"]) == "secret-unreadable"
    assert "hunter2" not in json.dumps([finding.words("en") for finding in said.values()])


@pytest.mark.parametrize("done", ["that is not there", "that is a folder", "with mode 0644", "that is empty"])
def test_a_token_for_home_assistant_that_will_not_do(tmp_path: Path, done: str) -> None:
    token = tmp_path / "token"
    if done == "that is a folder":
        token.mkdir()
    elif done != "that is not there":
        token.write_text("" if done == "that is empty" else "ey.J.x")
        token.chmod(0o644 if done == "with mode 0644" else 0o600)
    scene = Scene(Settings(homeassistant=HomeAssistantSettings(token_file=token)))
    [_, finding] = config.look(scene)
    assert provoked("for real", f"homeassistant.token_file {done}", finding) == "secret-unreadable"


# --- time ----------------------------------------------------------------------------------------


def test_a_part_that_hangs_is_left_behind() -> None:
    stop = threading.Event()

    def hang(_scene: Scene) -> Iterator[Finding]:
        stop.wait(60)
        yield from ()

    def others(_scene: Scene) -> Iterator[Finding]:
        yield Case("fine", State.OK, Words("fine"), Words("bien"))()

    parts = [Part("disk", "disque", hang, 0.2), Part("clock", "horloge", others, 5)]
    [slow, fine] = [one.finding for one in run(parts, Scene(Settings()))]
    stop.set()
    assert (slow.case, fine.case.name) == (running.SLOW, "fine")
    assert provoked("stand-in", "a part that waits for ever", running.SLOW(seconds=2)) == "slow"


def test_parts_that_wait_wait_side_by_side() -> None:
    """Each goes on once all of them have begun, and one that needs what another finds begins after it."""
    names, together, order = ["port", "broker", "database", "disk"], threading.Barrier(4, timeout=60), []

    def wait(_scene: Scene) -> Iterator[Finding]:
        together.wait()
        order.append("before")
        yield from ()

    def need(_scene: Scene) -> Iterator[Finding]:
        order.append("after")
        yield from ()

    parts = [*(Part(name, name, wait, 60) for name in names), Part("line", "ligne", need, 60, after=tuple(names))]
    assert list(run(parts, Scene(Settings()))) == []
    assert order == ["before"] * 4 + ["after"]


def test_however_many_parts_hang_all_of_it_ends_in_time() -> None:
    stop = threading.Event()

    def hang(_scene: Scene) -> Iterator[Finding]:
        stop.wait(600)
        yield from ()

    parts = [Part(name, name, hang, 600.0) for name in "abc"] + [Part("d", "d", hang, 600.0, after=("a",))]
    said = [one.finding.case for one in run(parts, Scene(Settings()), longest=0.1)]
    stop.set()
    assert said == [running.SLOW] * 4
    longest_way = sum(part.seconds for part in PARTS if part.name in ("port", "line quality"))
    assert longest_way < running.LONGEST < 25


def test_a_part_with_a_mistake_does_not_hide_the_others() -> None:
    def fail(_scene: Scene) -> Iterator[Finding]:
        yield from ()
        raise KeyError("x")

    [one] = run([Part("disk", "disque", fail, 5)], Scene(Settings()))
    assert provoked("stand-in", "a part with a mistake in it", one.finding) == "broken"


# --- all that can be said ------------------------------------------------------------------------


def test_each_case_has_a_name_of_its_own_and_each_part_has_cases() -> None:
    names = [case.name for case in ALL]
    assert len(set(names)) == len(names)
    assert [part.name for part in PARTS] == [name for name in MODULES if name]


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_case_says_the_same_in_both_languages(case: Case) -> None:
    """The same facts, in both; a cause and what to do, wherever something is wrong."""

    def facts(words: Words) -> set[str]:
        return {name for text in words for _, name, _, _ in string.Formatter().parse(text) if name}

    assert facts(case.en) - {"way"} == facts(case.fr)  # ahead or behind: English alone says it
    is_wrong = case.state in (State.WARNING, State.FAILED)
    for words in (case.en, case.fr):
        assert words.sentence
        assert (bool(words.cause), bool(words.todo)) == (is_wrong, is_wrong)


def test_whatever_can_be_wrong_is_provoked_by_a_test() -> None:
    wrong = {case.name for case in ALL if case.state in (State.WARNING, State.FAILED)}
    assert wrong == {name for name, _ in rows()}
