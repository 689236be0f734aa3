"""How the processes log."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator

import pytest

from bridge.config import LogSettings
from bridge.logs import set_up

log = logging.getLogger("ticbridge.test")


@pytest.fixture(autouse=True)
def _own_root() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(autouse=True)
def _no_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err.splitlines()


def test_text_has_the_time_the_level_and_the_part(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogSettings())
    log.info("Reading %s", "/dev/ttyUSB0")
    [line] = lines(capsys)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d INFO ticbridge\.test: Reading /dev/ttyUSB0", line)


def test_under_systemd_the_journal_adds_the_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    set_up(LogSettings())
    log.warning("The port is gone")
    assert lines(capsys) == ["WARNING ticbridge.test: The port is gone"]


@pytest.mark.parametrize(
    ("level", "said"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_a_level_hides_what_is_below_it(level: str, said: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogSettings.model_validate({"level": level}))
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name)
    assert [line.rpartition(" ")[2] for line in lines(capsys)] == said


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogSettings(format="json"))
    log.info("Compteur à lire: %s", "é")
    try:
        raise ZeroDivisionError("x")
    except ZeroDivisionError:
        log.exception("Failed")
    first, second = (json.loads(line) for line in lines(capsys))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", first.pop("ts"))
    assert first == {"level": "info", "part": "test", "text": "Compteur à lire: é"}
    assert (second["level"], second["text"]) == ("error", "Failed")
    assert second["traceback"].startswith("Traceback")
    assert second["traceback"].endswith("ZeroDivisionError: x")


def test_setting_up_twice_does_not_say_everything_twice(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogSettings())
    set_up(LogSettings())
    log.info("once")
    assert len(lines(capsys)) == 1
