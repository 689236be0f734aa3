"""How the processes log."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.config import LogSettings
from bridge.logs import Sparing, anonymous, set_up

log = logging.getLogger("ticbridge.test")
ZONE = ZoneInfo("Indian/Reunion")  # not the one of any machine that runs this


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
    set_up(LogSettings(), ZONE)
    log.info("Reading %s", "/dev/ttyUSB0")
    [line] = lines(capsys)
    time, _, rest = line.partition(" INFO ")
    assert rest == "ticbridge.test: Reading /dev/ttyUSB0"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+04:00", time)
    assert abs(datetime.fromisoformat(time) - datetime.now(UTC)) < timedelta(minutes=5)


def test_under_systemd_the_journal_adds_the_time(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOURNAL_STREAM", "8:12345")
    set_up(LogSettings(), ZONE)
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
    set_up(LogSettings.model_validate({"level": level}), ZONE)
    for name in ("debug", "info", "warning", "error"):
        getattr(log, name)(name)
    assert [line.rpartition(" ")[2] for line in lines(capsys)] == said


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(LogSettings(format="json"), ZONE)
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
    set_up(LogSettings(), ZONE)
    set_up(LogSettings(), ZONE)
    log.info("once")
    assert len(lines(capsys)) == 1


# --- what no line tells, and how often one comes ---------------------------------------------------

ADDRESS = "021861348497"
PRM = "14512345678903"


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_line_names_a_household(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor does a traceback, or what a library says."""
    set_up(LogSettings.model_validate({"level": "debug", "format": form}), ZONE)
    log.debug("linky/%s/reading", ADDRESS)
    log.warning("linky_%s_east of %s", ADDRESS, PRM)
    try:
        raise ValueError(f"Key (meter_id)=({ADDRESS}) already exists")
    except ValueError:
        log.exception("Storing failed")
    said = "\n".join(lines(capsys))
    assert ADDRESS not in said
    assert PRM not in said
    assert said.count("...8497") == 3
    assert said.count("...8903") == 1


def test_other_numbers_stay_as_they_are() -> None:
    text = "600000 frames, 1234567890123 bytes, port 1883, 2026-11-28 09:00:00"
    assert anonymous(text) == text


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def repeated(spares: Sparing, text: str, level: int = logging.WARNING, line: int = 1) -> list[str]:
    """What is written of it."""
    record = logging.LogRecord("ticbridge.test", level, "here.py", line, "%s", (text,), None)
    return [record.getMessage()] if spares.filter(record) else []


def test_what_repeats_itself_each_second_becomes_rare() -> None:
    """A day of it: sixty lines at once, then twelve an hour, each of which tells of the others."""
    clock, said = Clock(), list[str]()
    spares = Sparing(clock)
    for second in range(86_400):
        clock.now = second
        said += repeated(spares, "The port is gone")
    assert said[:60] == ["The port is gone"] * 60
    assert said[61:] == ["The port is gone (299 more like it were left out)"] * (len(said) - 61)
    assert len(said) == 60 + 86_399 // 300


def test_what_is_rare_is_always_said_and_does_not_hide_behind_what_is_not() -> None:
    clock, said = Clock(), list[str]()
    spares = Sparing(clock)
    for hour in range(1000):
        clock.now = 3600.0 * hour
        said += repeated(spares, "Connected")
        for _ in range(100):
            repeated(spares, "The port is gone", line=2)
    assert said == ["Connected"] * 1000


def test_debugging_tells_all() -> None:
    spares = Sparing(Clock())
    assert len([line for _ in range(500) for line in repeated(spares, "a frame", logging.DEBUG)]) == 500
