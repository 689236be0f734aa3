"""A reader reads for ever: what it opens, what it says, how long it waits, and that no error ends it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from bridge.config import MeterSettings
from bridge.detect import Cause, Verdict
from bridge.guard import Checked, Memory
from bridge.reader import Reader
from bridge.source import Source, SourceEnded, SourceError, UnheardError
from bridge.tic.catalogue import Mode
from tests.bridge.heard import Heard
from tests.bridge.wire import HISTORIQUE_FRAME, METER, STANDARD_FRAME

Step = bytes | Verdict | Exception | float
HISTORIQUE = Verdict(Cause.PROVEN, (1200,), Mode.HISTORIQUE)
STANDARD = Verdict(Cause.PROVEN, (9600,), Mode.STANDARD)
SILENT = UnheardError("No signal on port: are I1 and I2 connected, and not A?")
GONE = SourceError("The port is gone: is the adapter unplugged?")


class Stopping(threading.Event):
    """A wait moves the clock instead of taking time."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self._script = script

    def wait(self, timeout: float | None = None) -> bool:
        self._script.now += timeout or 0.0
        return self.is_set()


@dataclass
class Script:
    """What happens at each opening: pieces that are read, verdicts that are told, seconds that pass, errors."""

    openings: list[list[Step]]
    settings: MeterSettings = field(default_factory=lambda: MeterSettings(source="port"))
    now: float = 0.0
    opened: list[float] = field(default_factory=list)  # when
    closed: int = 0
    taken: list[tuple[str | None, Mode | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.heard = Heard()
        self.stopping = Stopping(self)
        meter = self.heard.meter
        take = meter.take

        def noted(frame: Checked) -> None:
            reading = frame.decoded.reading
            self.taken.append((frame.meter, reading.mode if reading else None))
            take(frame)

        meter.take = noted  # type: ignore[method-assign]  # to see what comes, on the way to the real one
        self.reader = Reader(self.settings, meter, self.stopping, self.open, lambda: self.now)
        self.known: list[dict[str, int]] = []

    def open(
        self, spec: str, mode: Mode | None, tell: Callable[[Verdict, str], None], known: dict[str, int], _: object
    ) -> Source:
        assert (spec, mode) == ("port", self.settings.tic_mode)
        self.opened.append(self.now)
        self.known.append(known)
        steps = self.openings.pop(0)
        if steps and isinstance(steps[0], SourceError) and not isinstance(steps[0], UnheardError):
            raise steps[0]
        return Scripted(self, iter(steps), tell)

    def run(self) -> None:
        """Until the last opening's steps are done."""
        self.reader.run()


@dataclass
class Scripted:
    script: Script
    steps: Iterator[Step]
    tell: Callable[[Verdict, str], None]

    def read(self) -> bytes:
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, Verdict):
                self.tell(step, "port")
            elif isinstance(step, float):
                self.script.now += step
                return b""
            else:
                return step
        self.script.stopping.set()
        return b""

    def close(self) -> None:
        self.script.closed += 1


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="ticbridge.bridge")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [f"{record.levelname} {record.getMessage()}" for record in caplog.records]


def test_what_a_line_turns_out_to_be_is_said(caplog: pytest.LogCaptureFixture) -> None:
    Script([[HISTORIQUE, HISTORIQUE_FRAME, Verdict(Cause.NOT_RAW, (1200,)), STANDARD]]).run()
    assert said(caplog) == [
        "INFO Reading port",
        "INFO port speaks historique at 1200 baud",
        f"WARNING {Verdict(Cause.NOT_RAW).sentence('port')}",
        "INFO port speaks standard at 9600 baud",
    ]


def test_trouble_on_a_line_that_is_read_on_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    noise = Verdict(Cause.NOISE, (9600,))
    script = Script([[noise, noise, STANDARD, noise]])
    script.run()
    assert script.reader.trouble == noise.sentence("port")
    assert said(caplog) == [
        "INFO Reading port",
        f"WARNING {noise.sentence('port')}",
        "INFO port speaks standard at 9600 baud",
        f"WARNING {noise.sentence('port')}",
    ]


def test_trouble_lasts_until_the_line_proves_itself_again() -> None:
    noise = Verdict(Cause.NOISE, (9600,))
    silent = UnheardError("No signal on port", cause=Cause.SILENT)
    cases: list[tuple[list[list[Step]], str, Cause | None]] = [
        ([[GONE], [STANDARD_FRAME]], "", None),
        ([[silent], [1.0]], "No signal on port", Cause.SILENT),
        ([[silent], [STANDARD]], "", None),
        ([[noise]], noise.sentence("port"), Cause.NOISE),
        ([[noise, STANDARD]], "", None),
        ([[noise, GONE], [STANDARD_FRAME]], "", None),
    ]
    for steps, trouble, cause in cases:
        reader = Script([list(opening) for opening in steps]).reader
        reader.run()
        assert (reader.trouble, reader.cause, reader.source) == (trouble, cause, "port")


def test_a_source_that_cannot_be_opened_is_in_trouble_meanwhile() -> None:
    script = Script([[GONE], [STANDARD_FRAME]])
    seen: list[tuple[str, Cause | None]] = []
    script.reader.meter.gone = lambda: seen.append((script.reader.trouble, script.reader.cause))  # type: ignore[method-assign]
    script.run()
    assert seen == [(str(GONE), None), ("", None)]  # once more at the end


def test_a_silent_source_is_opened_again_every_second_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    script = Script([[10.0, SILENT], [10.0, SILENT], [10.0, SILENT], [1.0, STANDARD, STANDARD_FRAME]])
    script.run()
    assert ([round(at) for at in script.opened], script.closed) == ([0, 11, 22, 33], 4)
    assert script.reader.trouble == ""
    assert said(caplog) == [
        "INFO Reading port",
        "WARNING No signal on port: are I1 and I2 connected, and not A? Trying again until it works",
        "INFO port speaks standard at 9600 baud",
    ]


def test_silence_takes_the_meter_off_line_after_thirty_seconds(caplog: pytest.LogCaptureFixture) -> None:
    frames: list[Step] = [STANDARD_FRAME, STANDARD_FRAME, STANDARD_FRAME]
    script = Script([[*frames, 15.0, SILENT], [10.0, SILENT], [2.0, 2.0, 1.9]])
    script.run()
    states = [message.payload for message in script.heard.sent if message.topic.endswith("/status")]
    assert states == ["online", "offline"]
    assert said(caplog)[1:] == [
        "WARNING No signal on port: are I1 and I2 connected, and not A? Trying again until it works"
    ]


def test_a_source_that_breaks_is_opened_again_with_growing_pauses(caplog: pytest.LogCaptureFixture) -> None:
    absent: list[list[Step]] = [[GONE] for _ in range(7)]
    script = Script([*absent, [STANDARD_FRAME, 40.0, GONE], [STANDARD]])
    script.run()
    pauses = [round(b - a) for a, b in zip(script.opened, script.opened[1:], strict=False)]
    assert pauses == [2, 4, 8, 16, 30, 30, 30, 41]
    assert said(caplog) == [
        "WARNING The port is gone: is the adapter unplugged? Trying again until it works",
        "INFO Reading port",
        "WARNING The port is gone: is the adapter unplugged? Trying again until it works",
        "INFO Reading port",
        "INFO port speaks standard at 9600 baud",
    ]


def test_a_source_that_breaks_takes_the_meter_off_line_at_once() -> None:
    frames: list[Step] = [STANDARD_FRAME, STANDARD_FRAME, STANDARD_FRAME]
    script = Script([[*frames, GONE], []])
    script.run()
    assert [m.payload for m in script.heard.sent if m.topic.endswith("/status")] == ["online", "offline"]
    assert script.reader.source_ok is False


def test_no_error_ends_reading(caplog: pytest.LogCaptureFixture) -> None:
    script = Script([[STANDARD_FRAME, ZeroDivisionError()], [STANDARD]])
    script.run()
    assert said(caplog) == [
        "INFO Reading port",
        "ERROR Reading port failed; opening it again",
        "INFO Reading port",
        "INFO port speaks standard at 9600 baud",
    ]
    assert caplog.records[1].exc_info is not None


def test_a_file_is_read_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    script = Script([[HISTORIQUE_FRAME, HISTORIQUE_FRAME[:-1], SourceEnded()], []])
    script.run()
    assert (script.reader.ended, script.taken) == (True, [(METER, Mode.HISTORIQUE)] * 2)
    assert said(caplog) == ["INFO Reading port", "INFO port is read to its end"]


def test_a_meter_that_changes_its_mode_on_an_open_port_keeps_its_name() -> None:
    """One line serves the whole opening: no frame waits for the address again."""
    script = Script([[HISTORIQUE_FRAME * 3, 15.0, STANDARD, STANDARD_FRAME * 3]])
    script.run()
    assert script.taken == [(METER, Mode.HISTORIQUE)] * 3 + [(METER, Mode.STANDARD)] * 3


def test_the_speeds_that_worked_are_remembered_from_opening_to_opening() -> None:
    script = Script([[SILENT], [GONE], [STANDARD]])
    script.run()
    first, *others = script.known
    assert all(known is first for known in others)


def test_what_is_believed_of_the_indexes_is_kept_each_ten_minutes_and_at_the_end() -> None:
    script = Script([[*([STANDARD_FRAME] * 3), 599.0, 1.0, STANDARD]])
    memory: Memory = {}
    script.reader = Reader(
        script.settings, script.heard.meter, script.stopping, script.open, lambda: script.now, memory
    )
    kept: list[tuple[float, bool]] = []
    tick = script.heard.meter.tick

    def noted(now: float) -> None:
        kept.append((now, METER in memory))
        tick(now)

    script.heard.meter.tick = noted  # type: ignore[method-assign]  # to look between two pieces
    script.run()
    assert kept == [(0.0, False)] * 3 + [(599.0, False), (600.0, False), (600.0, True)]
    assert memory[METER].keys() >= {"east"}


def test_stopping_ends_a_pause() -> None:
    script = Script([[GONE], []])
    script.stopping.set()
    script.run()
    assert script.opened == []
