"""Where the bytes come from: ports that are listened to, a real pseudo-terminal, real files, a simulation."""

from __future__ import annotations

import io
import socket
import termios
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from bridge import source
from bridge.detect import SPEEDS, Cause, Verdict
from bridge.guard import Moment
from bridge.line import Line
from bridge.port import PIECE, SourceError
from bridge.source import SimulatedSource, Source, SourceEnded, UnheardError, open_source
from bridge.tic.catalogue import Mode
from bridge.tic.models import Historique, Standard
from tests.bridge.terminal import Terminal
from tests.bridge.uart import Uart, Wire
from tests.bridge.wire import HISTORIQUE_FRAME, METER, STANDARD_FRAME

H, S = Mode.HISTORIQUE, Mode.STANDARD


def read_all(opened: Source) -> bytes:
    """Everything up to the end."""
    data = b""
    while True:
        try:
            data += opened.read()
        except SourceEnded:
            opened.close()
            return data


def complaint(spec: str) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(spec, None)
    return str(caught.value)


# --- ports that are listened to ------------------------------------------------------------------


Talk = Callable[[float], tuple[bytes, int]]
STANDARD: Final[Talk] = lambda _: (STANDARD_FRAME, 9600)  # noqa: E731  a table
HISTORIQUE: Final[Talk] = lambda _: (HISTORIQUE_FRAME, 1200)  # noqa: E731
SILENT: Final[Talk] = lambda _: (b"", 1200)  # noqa: E731
NOISE: Final[Talk] = lambda _: (bytes(range(0x60)), 7000)  # noqa: E731


class Desk:
    """Ports with a wire at each, as UARTs hear them; a clock that reading moves; what was done and told."""

    def __init__(self) -> None:
        self.now = 0.0
        self.talks: dict[str, Talk | SourceError] = {}
        self.done: list[str] = []
        self.told: list[tuple[Verdict, str]] = []
        self.known: dict[str, int] = {}

    def open(self, spec: str, mode: Mode | None = None) -> Source:
        return open_source(spec, mode, lambda *said: self.told.append(said), self.known, lambda: self.now)

    def port(self, name: str, speed: int = 9600) -> Port:
        return Port(self, name, speed)


class Port:
    """One of them, open."""

    def __init__(self, desk: Desk, name: str, speed: int) -> None:
        talk = desk.talks[name]
        if isinstance(talk, SourceError):
            raise talk
        self._desk, self._name = desk, name
        self._uart = Uart(Wire(self._talk), speed, now=desk.now)
        self._uart.tune(speed)
        desk.done.append(f"{name} opened at {speed}")

    def _talk(self, now: float) -> tuple[bytes, int]:
        talk = self._desk.talks[self._name]
        assert not isinstance(talk, SourceError), "an open port talks"
        return talk(now)

    def read(self) -> bytes:
        if isinstance(error := self._desk.talks[self._name], SourceError):
            raise error
        self._desk.now = round(self._desk.now + 0.1, 6)
        return self._uart.hear(0.1)

    def tune(self, speed: int) -> None:
        self._desk.done.append(f"{speed}")
        self._uart.tune(speed)

    def close(self) -> None:
        self._desk.done.append("closed")


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    ports = Desk()
    monkeypatch.setattr(source, "SerialSource", ports.port)
    monkeypatch.setattr(source, "find_ports", lambda: sorted(ports.talks))
    return ports


def listen(desk: Desk, opened: Source, seconds: float) -> bytes:
    """What is handed on in so many seconds."""
    until, data = desk.now + seconds, b""
    while desk.now < until:
        data += opened.read()
    return data


def give_up(desk: Desk, opened: Source, limit: float = 120.0) -> SourceError:
    """The error that reading ends with."""
    with pytest.raises(SourceError) as caught:
        listen(desk, opened, limit)
    return caught.value


def proven(speed: int, mode: Mode) -> Verdict:
    return Verdict(Cause.PROVEN, (speed,), mode)


USB, USB1, USB2 = "/dev/ttyUSB0", "/dev/ttyUSB1", "/dev/ttyUSB2"


@pytest.mark.parametrize(
    ("talk", "frame", "speed", "mode"), [(STANDARD, STANDARD_FRAME, 9600, S), (HISTORIQUE, HISTORIQUE_FRAME, 1200, H)]
)
def test_a_ports_speed_is_found_and_nothing_is_handed_on_before(
    desk: Desk, talk: Talk, frame: bytes, speed: int, mode: Mode
) -> None:
    desk.talks[USB] = talk
    data = listen(desk, desk.open(USB), 10.0)
    assert data.startswith(frame)
    assert (desk.told, desk.known) == ([(proven(speed, mode), USB)], {USB: speed})


def test_the_speed_that_worked_last_is_tried_first(desk: Desk) -> None:
    desk.talks[USB] = lambda _: (HISTORIQUE_FRAME, 2400)
    desk.known[USB] = 2400
    listen(desk, desk.open(USB), 3.0)
    assert (desk.done, desk.told) == ([f"{USB} opened at 2400"], [(proven(2400, H), USB)])


def test_a_meter_that_switches_its_mode_is_followed_and_keeps_its_name(desk: Desk) -> None:
    desk.talks[USB] = lambda now: (STANDARD_FRAME, 9600) if 30 < now < 90 else (HISTORIQUE_FRAME, 1200)
    opened, line = desk.open(USB), Line()
    spoken = []
    while desk.now < 130:
        for checked in line.feed(opened.read(), Moment(datetime.now(UTC), desk.now)):
            if checked.decoded.reading is not None and checked.decoded.reading.complete:
                assert checked.meter == METER
                spoken.append((type(checked.decoded.reading), desk.now))
    changes = [(kind, round(at)) for (before, _), (kind, at) in pairwise(spoken) if before != kind]
    (to, there), (fro, back) = changes
    assert (to, there <= 30 + 18) == (Standard, True)
    assert (fro, back <= 90 + 20) == (Historique, True)
    assert desk.told == [(proven(1200, H), USB), (proven(9600, S), USB), (proven(1200, H), USB)]
    assert "closed" not in desk.done


def test_a_line_that_comes_back_at_its_old_speed_is_found_again(desk: Desk) -> None:
    desk.talks[USB] = lambda now: NOISE(now) if 30 < now < 47 else STANDARD(now)
    listen(desk, desk.open(USB), 80.0)
    assert desk.told == [(proven(9600, S), USB), (proven(9600, S), USB)]


@pytest.mark.parametrize(("talk", "cause", "seconds"), [(SILENT, Cause.SILENT, 10.0), (NOISE, Cause.NOISE, 20.0)])
def test_a_port_where_no_speed_is_right_ends_with_the_likely_cause(
    desk: Desk, talk: Talk, cause: Cause, seconds: float
) -> None:
    desk.talks[USB] = talk
    error = give_up(desk, desk.open(USB))
    assert (type(error), str(error)) == (UnheardError, Verdict(cause, SPEEDS).sentence(USB))
    assert desk.now <= seconds


@pytest.mark.parametrize("mode", [S, None])
def test_a_port_that_falls_silent_ends_after_fifteen_seconds(desk: Desk, mode: Mode | None) -> None:
    """Opened again, a frozen adapter may come back."""
    desk.talks[USB] = lambda now: STANDARD(now) if now < 20 else SILENT(now)
    error = give_up(desk, desk.open(USB, mode))
    assert (type(error), str(error)) == (UnheardError, f"No signal on {USB}: are I1 and I2 connected, and not A?")
    assert 30 <= desk.now <= 36


@pytest.mark.parametrize(
    ("talk", "mode", "told"),
    [
        (STANDARD, S, proven(9600, S)),
        (HISTORIQUE, H, proven(1200, H)),
        (HISTORIQUE, S, Verdict(Cause.SLOWER, (9600,))),
        (STANDARD, H, Verdict(Cause.NOISE, (1200,))),
        (lambda _: (HISTORIQUE_FRAME, 9600), S, Verdict(Cause.OTHER_MODE, (9600,), H, S)),
    ],
)
def test_a_configured_port_is_never_tuned_and_what_it_says_is_told_once(
    desk: Desk, talk: Talk, mode: Mode, told: Verdict
) -> None:
    desk.talks[USB] = talk
    assert listen(desk, desk.open(USB, mode), 60.0) != b""
    assert desk.told == [(told, USB)]
    assert desk.done == [f"{USB} opened at {told.speeds[0]}"]


# --- auto ----------------------------------------------------------------------------------------


def busy(name: str) -> SourceError:
    return SourceError(f"The port {name} is in use: stop it", "is in use by another program")


def test_of_several_ports_the_one_that_speaks_is_taken(desk: Desk) -> None:
    desk.talks = {USB: busy(USB), USB1: NOISE, USB2: HISTORIQUE, "/dev/ttyUSB3": STANDARD}
    data = listen(desk, desk.open("auto"), 40.0)
    assert data.startswith(HISTORIQUE_FRAME)
    assert (desk.told, desk.known) == ([(proven(1200, H), USB2)], {USB2: 1200})
    assert desk.done[-1] == "1200"


def test_the_port_that_spoke_last_is_tried_first(desk: Desk) -> None:
    desk.talks = {USB: SILENT, USB1: STANDARD}
    desk.known[USB1] = 9600
    listen(desk, desk.open("auto"), 1.0)
    assert (desk.done, desk.told) == ([f"{USB1} opened at 9600"], [(proven(9600, S), USB1)])


def test_where_none_speaks_each_is_named_with_the_reason(desk: Desk) -> None:
    desk.talks = {USB: busy(USB), USB1: NOISE, USB2: SILENT}
    opened = desk.open("auto")
    error = give_up(desk, opened)
    assert (type(error), str(error)) == (
        UnheardError,
        (
            "No port speaks TIC (/dev/ttyUSB0 is in use by another program, /dev/ttyUSB1 gives no valid group, "
            "/dev/ttyUSB2 gives no signal): connect I1 and I2 to one of them, or name the port"
        ),
    )
    assert desk.now <= 30
    assert desk.done.count("closed") == 2
    opened.close()


def test_where_none_can_be_opened_it_is_no_matter_of_listening(desk: Desk) -> None:
    desk.talks = {USB: busy(USB), USB1: busy(USB1)}
    error = give_up(desk, desk.open("auto"))
    assert (type(error), str(error)) == (
        SourceError,
        (
            "No port speaks TIC (/dev/ttyUSB0 is in use by another program, /dev/ttyUSB1 is in use by another "
            "program): connect I1 and I2 to one of them, or name the port"
        ),
    )


@pytest.mark.parametrize(("mode", "taken"), [(S, USB1), (H, USB)])
def test_of_several_ports_the_one_that_speaks_the_configured_mode_is_taken(desk: Desk, mode: Mode, taken: str) -> None:
    desk.talks = {USB: HISTORIQUE, USB1: STANDARD}
    listen(desk, desk.open("auto", mode), 10.0)
    assert [name for _, name in desk.told] == [taken]


def test_a_port_that_was_taken_is_kept_while_its_speed_is_looked_for_again(desk: Desk) -> None:
    desk.talks = {USB: lambda now: STANDARD(now) if now < 20 else NOISE(now), USB1: HISTORIQUE}
    error = give_up(desk, desk.open("auto"))
    assert str(error) == Verdict(Cause.NOISE, (1200, 2400, 4800, 19200, 9600)).sentence(USB)


def test_a_configured_mode_on_the_port_that_was_taken_is_not_looked_for_again(desk: Desk) -> None:
    desk.talks = {USB: lambda now: STANDARD(now) if now < 20 else NOISE(now), USB1: HISTORIQUE}
    listen(desk, desk.open("auto", S), 60.0)
    assert desk.told == [(proven(9600, S), USB), (Verdict(Cause.NOISE, (9600,)), USB)]


@pytest.mark.parametrize(("mode", "opened_at"), [(None, 9600), (H, 1200)])
def test_the_only_port_is_taken_at_once_and_complains_in_its_own_words(
    desk: Desk, mode: Mode | None, opened_at: int
) -> None:
    desk.talks = {USB: SILENT}
    error = give_up(desk, desk.open("auto", mode))
    assert desk.done[0] == f"{USB} opened at {opened_at}"
    assert str(error) == f"No signal on {USB}: are I1 and I2 connected, and not A?"


def test_without_any_port_it_says_so(desk: Desk) -> None:
    assert complaint("auto") == "source: auto found no serial adapter: plug it in, or name the port"
    assert desk.done == []


# --- a real pseudo-terminal ----------------------------------------------------------------------


def test_a_terminal_that_another_program_cooks_is_named_and_made_raw_again(terminal: Terminal) -> None:
    now = [0.0]
    told: list[tuple[Verdict, str]] = []
    opened = open_source(terminal.name, None, lambda *said: told.append(said), {}, lambda: now[0])

    def take(frames: int) -> bytes:
        data = b""
        for _ in range(frames):
            terminal.write(STANDARD_FRAME)
            while not (piece := opened.read()):
                pass
            data += piece
        return data

    assert take(1) == STANDARD_FRAME
    attributes = termios.tcgetattr(terminal.port)
    attributes[0] |= termios.ICRNL
    termios.tcsetattr(terminal.port, termios.TCSANOW, attributes)
    now[0] += 10
    assert take(1) == STANDARD_FRAME.replace(b"\r", b"\n")
    now[0] += 10
    assert take(1) == STANDARD_FRAME
    said = [proven(9600, S), Verdict(Cause.NOT_RAW, (9600,), S), proven(9600, S)]
    assert told == [(verdict, terminal.name) for verdict in said]
    opened.close()


def test_a_network_port_that_says_nothing_for_long_is_given_up() -> None:
    """Half-open: the server's machine is gone, and nothing says so."""
    now = 0.0
    with socket.create_server(("127.0.0.1", 0)) as server:
        spec = f"socket://127.0.0.1:{server.getsockname()[1]}"
        opened = open_source(spec, None, clock=lambda: now)
        meter, _ = server.accept()
        assert opened.read() == b""
        now = 15.0
        with pytest.raises(UnheardError) as caught:
            opened.read()
        assert str(caught.value) == f"No signal on {spec}: are I1 and I2 connected, and not A?"
        opened.close()
        meter.close()


# --- files and standard input --------------------------------------------------------------------


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    recorded = tmp_path / "capture.tic"
    recorded.write_bytes(HISTORIQUE_FRAME * 100)
    opened = open_source(str(recorded), None)
    assert len(opened.read()) <= PIECE
    opened.close()
    assert read_all(open_source(str(recorded), None)) == HISTORIQUE_FRAME * 100


def test_a_file_recorded_with_eight_bits_keeps_them(tmp_path: Path) -> None:
    recorded = tmp_path / "capture.tic"
    recorded.write_bytes(bytes(range(256)))
    assert read_all(open_source(str(recorded), None)) == bytes(range(256))


def test_a_file_recorded_from_a_terminal_that_is_not_raw_is_read_and_named(tmp_path: Path) -> None:
    cooked = HISTORIQUE_FRAME.replace(b"\r", b"\n").replace(b"\x03", b"")
    recorded = tmp_path / "capture.tic"
    recorded.write_bytes(cooked * 3)
    told: list[tuple[Verdict, str]] = []
    opened = open_source(str(recorded), None, lambda *said: told.append(said))
    assert (read_all(opened), told) == (cooked * 3, [(Verdict(Cause.NOT_RAW, (), H), str(recorded))])


def test_standard_input_is_a_dash_and_stays_open(monkeypatch: pytest.MonkeyPatch) -> None:
    given = io.TextIOWrapper(io.BytesIO(HISTORIQUE_FRAME))
    monkeypatch.setattr("sys.stdin", given)
    assert read_all(open_source("-", None)) == HISTORIQUE_FRAME
    assert not given.buffer.closed


def test_a_missing_file_and_a_folder_say_so(tmp_path: Path) -> None:
    assert [complaint(str(tmp_path / "nowhere.tic")), complaint(str(tmp_path))] == [
        f"{tmp_path}/nowhere.tic cannot be read (No such file or directory): is the name right?",
        f"{tmp_path} is a folder: name a file in it",
    ]


# --- the simulation ------------------------------------------------------------------------------


def test_a_simulation_sends_frames_at_its_own_pace() -> None:
    slept: list[float] = []
    opened = SimulatedSource("base?speed=2", slept.append)
    first = opened.read()
    pauses = []
    while not (piece := opened.read()):
        pauses.append(piece)
    assert (first[:1], first[-1:], piece[:1], piece[-1:]) == (b"\x02", b"\x03", b"\x02", b"\x03")
    assert max(slept) <= 0.1
    assert sum(slept) == pytest.approx((len(first) * 10 / 9600 + 0.02) / 2)
    opened.close()


def test_a_simulation_decodes() -> None:
    opened = open_source("sim:tempo?mode=historique", None)
    [checked] = Line(guarded=False).feed(opened.read(), Moment.never())
    assert checked.decoded.refused == ()
    opened.close()


def test_a_simulation_that_cannot_be_says_why() -> None:
    assert complaint("sim:gas") == (
        "sim:gas: contract: 'gas' will not do; expected one of base, hchp, tempo, ejp, producer "
        "(for instance sim:tempo?mode=historique&phases=3)"
    )
