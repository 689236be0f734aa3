"""Where the bytes come from: a real pseudo-terminal, real files, a real socket, a simulation."""

from __future__ import annotations

import io
import os
import re
import socket
import termios
import tty
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports

from bridge import source
from bridge.guard import Moment
from bridge.line import Line
from bridge.source import (
    PIECE,
    FileSource,
    SerialSource,
    SimulatedSource,
    Source,
    SourceEnded,
    SourceError,
    find_port,
    is_port,
    open_source,
)
from bridge.tic.catalogue import Mode
from tests.bridge.wire import HISTORIQUE_FRAME, STANDARD_FRAME


def read_all(opened: Source) -> bytes:
    """Everything up to the end."""
    data = b""
    while True:
        try:
            data += opened.read()
        except SourceEnded:
            opened.close()
            return data


def complaint(spec: str, mode: Mode | None = Mode.STANDARD) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(spec, mode)
    return str(caught.value)


# --- a port --------------------------------------------------------------------------------------


@dataclass
class Terminal:
    """Both ends of a pseudo-terminal: we write to the meter's, the bridge opens the other by its name."""

    meter: int
    port: int
    name: str

    def unplug(self) -> None:
        os.close(self.meter)
        os.close(self.port)
        self.meter = self.port = -1


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    meter, port = os.openpty()
    tty.setraw(port, termios.TCSANOW)
    both = Terminal(meter, port, os.ttyname(port))
    yield both
    if both.meter >= 0:
        both.unplug()


def read_until(opened: Source, length: int) -> bytes:
    """At least so many bytes: a port gives what is there."""
    data = b""
    while len(data) < length:
        data += opened.read()
    return data


@pytest.mark.parametrize("mode", [Mode.STANDARD, Mode.HISTORIQUE, None])
def test_a_port_gives_the_bytes_that_arrive_in_pieces(terminal: Terminal, mode: Mode | None) -> None:
    opened = open_source(terminal.name, mode)
    assert isinstance(opened, SerialSource)
    os.write(terminal.meter, HISTORIQUE_FRAME + STANDARD_FRAME)
    assert read_until(opened, len(HISTORIQUE_FRAME + STANDARD_FRAME)) == HISTORIQUE_FRAME + STANDARD_FRAME
    opened.close()


def test_a_port_where_nothing_arrives_gives_nothing_soon(terminal: Terminal) -> None:
    opened = open_source(terminal.name, Mode.STANDARD)
    assert opened.read() == b""
    opened.close()


def test_the_terminals_own_characters_pass_untouched(terminal: Terminal) -> None:
    # in cooked mode CR becomes LF, ETX an interrupt, EOT an end of file, 0x11 and 0x13 flow control
    opened = open_source(terminal.name, Mode.STANDARD)
    every = bytes(range(0x80))
    os.write(terminal.meter, every)
    assert read_until(opened, len(every)) == every
    opened.close()


def test_bit_seven_is_masked_where_the_line_delivers_eight(terminal: Terminal) -> None:
    opened = open_source(terminal.name, Mode.STANDARD)
    os.write(terminal.meter, bytes(byte | 0x80 for byte in HISTORIQUE_FRAME))
    assert read_until(opened, len(HISTORIQUE_FRAME)) == HISTORIQUE_FRAME
    opened.close()


def test_a_port_can_be_opened_again_after_it_was_closed(terminal: Terminal) -> None:
    for _ in range(2):
        opened = open_source(terminal.name, Mode.HISTORIQUE)
        os.write(terminal.meter, b"\x02")
        assert read_until(opened, 1) == b"\x02"
        opened.close()


def test_a_port_that_goes_away_says_so(terminal: Terminal) -> None:
    opened = open_source(terminal.name, Mode.STANDARD)
    terminal.unplug()
    with pytest.raises(SourceError) as caught:
        opened.read()
    assert re.fullmatch(rf"The port {terminal.name} is gone \(.+\): is the adapter unplugged\?", str(caught.value))
    opened.close()


def test_a_port_that_was_closed_meanwhile_says_so(terminal: Terminal) -> None:
    opened = open_source(terminal.name, Mode.STANDARD)
    opened.close()
    with pytest.raises(SourceError, match=f"^The port {terminal.name} is gone "):
        opened.read()


def test_a_port_in_use_says_so(terminal: Terminal) -> None:
    opened = open_source(terminal.name, Mode.STANDARD)
    assert complaint(terminal.name) == (
        f"The port {terminal.name} is in use by another program: stop it, or give us another port"
    )
    opened.close()


def test_a_missing_port_says_so() -> None:
    assert complaint("/dev/nowhere") == (
        "The port /dev/nowhere does not exist: is the adapter plugged in, is the name right?"
    )


def test_what_is_no_port_says_so() -> None:
    assert [complaint("/dev/null"), complaint("/dev/shm")] == [
        "/dev/null is not a serial port: name one, such as /dev/ttyUSB0",
        "The port /dev/shm cannot be opened (Is a directory)",
    ]


def test_a_port_without_rights_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:  # a failure that root, who runs these tests, never meets
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("serial.serial_for_url", refuse)
    assert complaint("/dev/ttyUSB0") == (
        "The port /dev/ttyUSB0 may not be opened by this user: add it to the group dialout (sudo adduser $USER dialout)"
    )


def test_the_kernel_is_told_to_check_parity(terminal: Terminal) -> None:
    attributes = termios.tcgetattr(terminal.port)
    attributes[0] |= termios.IGNPAR | termios.PARMRK
    termios.tcsetattr(terminal.port, termios.TCSANOW, attributes)
    source._check_parity(terminal.port)
    checked = termios.tcgetattr(terminal.port)[0]
    assert (checked & termios.INPCK, checked & termios.IGNPAR, checked & termios.PARMRK) == (termios.INPCK, 0, 0)


def test_a_real_port_is_opened_with_seven_bits_and_even_parity(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The options as pyserial gets them; the port behind is still a pseudo-terminal, which has no parity."""
    seen: dict[str, Any] = {}

    class Port:
        def fileno(self) -> int:
            return terminal.port

    def open_port(name: str, **options: Any) -> Port:
        seen.update(options, name=name)
        return Port()

    monkeypatch.setattr("serial.serial_for_url", open_port)
    open_source("/dev/ttyUSB0", Mode.HISTORIQUE)
    assert seen == {
        "name": "/dev/ttyUSB0",
        "baudrate": 1200,
        "bytesize": 7,
        "parity": "E",
        "stopbits": 1,
        "timeout": 0.1,
        "exclusive": True,
    }
    assert termios.tcgetattr(terminal.port)[0] & termios.INPCK


# --- finding the port ----------------------------------------------------------------------------


@dataclass
class Found:
    device: str
    vid: int | None


@pytest.mark.parametrize(
    ("ports", "said"),
    [
        ([], "none"),
        ([Found("/dev/ttyS0", None)], "none"),
        ([Found("/dev/ttyUSB0", 1), Found("/dev/ttyUSB1", 1)], "/dev/ttyUSB0, /dev/ttyUSB1"),
    ],
)
def test_auto_needs_exactly_one_adapter(ports: list[Found], said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    assert complaint("auto") == (
        f"meters.0.source: 'auto' needs exactly one serial adapter and found {said}: plug it in, or name the port"
    )


@pytest.mark.parametrize("port", [Found("/dev/ttyUSB7", 1027), Found("/dev/ttyAMA0", None)])
def test_auto_takes_the_only_adapter(port: Found, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: [port, Found("/dev/ttyS0", None)])
    assert find_port() == port.device


def test_auto_prefers_the_stable_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-id").mkdir()
    stable = tmp_path / "by-id" / "usb-FTDI-port0"
    stable.symlink_to(tmp_path / "ttyUSB0")
    monkeypatch.setattr(source, "STABLE_NAMES", tmp_path / "by-id")
    monkeypatch.setattr(list_ports, "comports", lambda: [Found(str(tmp_path / "ttyUSB0"), 1027)])
    assert find_port() == str(stable)


@pytest.mark.parametrize(
    ("spec", "port"),
    [
        ("auto", True),
        ("/dev/ttyUSB0", True),
        ("rfc2217://host:7000", True),
        ("socket://host:7000", False),
        ("sim:tempo", False),
        ("-", False),
        ("capture.tic", False),
    ],
)
def test_a_port_is_what_has_a_speed(spec: str, port: bool) -> None:
    assert is_port(spec) is port


# --- the network ---------------------------------------------------------------------------------


def test_a_socket_gives_what_the_other_end_sends_and_says_when_it_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        spec = f"socket://127.0.0.1:{server.getsockname()[1]}"
        opened = open_source(spec, None)
        meter, _ = server.accept()
        meter.sendall(STANDARD_FRAME)
        assert read_until(opened, len(STANDARD_FRAME)) == STANDARD_FRAME
        meter.close()
        with pytest.raises(SourceError) as caught:
            opened.read()
        assert str(caught.value) == f"{spec} is gone (socket disconnected): is the serial server running there?"
        opened.close()


def test_a_socket_that_nobody_serves_says_so() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        spec = f"socket://127.0.0.1:{server.getsockname()[1]}"
    assert complaint(spec) == f"{spec} refuses connections: is the serial server running there?"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("socket://nonsense", "socket://nonsense will not do; expected socket://host:port"),
        ("socket://host:port", "socket://host:port will not do; expected socket://host:port"),
        ("socket://host:99999", "socket://host:99999 will not do; expected socket://host:port"),
        ("rfc2217://:7000", "rfc2217://:7000 will not do; expected rfc2217://host:port"),
    ],
)
def test_an_address_that_is_none_says_so(spec: str, said: str) -> None:
    assert complaint(spec) == said


def test_a_host_that_nobody_knows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:  # a failure, without asking a name server
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.create_connection", unknown)
    assert complaint("socket://serial.lan:7000") == (
        "socket://serial.lan:7000 cannot be reached (Name or service not known): is the address right?"
    )


# --- files and standard input --------------------------------------------------------------------


def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    recorded = tmp_path / "capture.tic"
    recorded.write_bytes(HISTORIQUE_FRAME * 100)
    opened = open_source(str(recorded), None)
    assert isinstance(opened, FileSource)
    assert len(opened.read()) <= PIECE
    opened.close()
    assert read_all(open_source(str(recorded), None)) == HISTORIQUE_FRAME * 100


def test_a_file_recorded_with_eight_bits_is_masked(tmp_path: Path) -> None:
    recorded = tmp_path / "capture.tic"
    recorded.write_bytes(bytes(byte | 0x80 for byte in HISTORIQUE_FRAME))
    assert read_all(open_source(str(recorded), None)) == HISTORIQUE_FRAME


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
