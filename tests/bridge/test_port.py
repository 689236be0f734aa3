"""Serial ports: a real pseudo-terminal, a real socket, and the sentences when one cannot be read."""

from __future__ import annotations

import re
import socket
import termios
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from serial.tools import list_ports

from bridge import port
from bridge.detect import SPEEDS
from bridge.port import SerialSource, SourceError, find_ports
from tests.bridge.terminal import Terminal
from tests.bridge.wire import HISTORIQUE_FRAME, STANDARD_FRAME


def read_until(opened: SerialSource, length: int) -> bytes:
    """At least so many bytes: a port gives what is there."""
    data = b""
    while len(data) < length:
        data += opened.read()
    return data


def complaint(spec: str) -> tuple[str, str]:
    """The sentence, and the finding alone."""
    with pytest.raises(SourceError) as caught:
        SerialSource(spec)
    return str(caught.value), caught.value.why


# --- reading -------------------------------------------------------------------------------------


def test_a_port_gives_the_bytes_that_arrive_in_pieces(terminal: Terminal) -> None:
    opened = SerialSource(terminal.name)
    terminal.write(HISTORIQUE_FRAME + STANDARD_FRAME)
    assert read_until(opened, len(HISTORIQUE_FRAME + STANDARD_FRAME)) == HISTORIQUE_FRAME + STANDARD_FRAME
    opened.close()


def test_a_port_where_nothing_arrives_gives_nothing_soon(terminal: Terminal) -> None:
    opened = SerialSource(terminal.name)
    assert opened.read() == b""
    opened.close()


def test_every_byte_passes_untouched(terminal: Terminal) -> None:
    # in cooked mode CR becomes LF, ETX an interrupt, EOT an end of file, 0x11 and 0x13 flow control; bit 7 is the
    # parity, where an adapter reads eight bits
    opened = SerialSource(terminal.name)
    every = bytes(range(0x100))
    terminal.write(every)
    assert read_until(opened, len(every)) == every
    opened.close()


def test_a_port_can_be_opened_again_after_it_was_closed(terminal: Terminal) -> None:
    for _ in range(2):
        opened = SerialSource(terminal.name)
        terminal.write(b"\x02")
        assert read_until(opened, 1) == b"\x02"
        opened.close()


def test_a_port_that_goes_away_says_so(terminal: Terminal) -> None:
    opened = SerialSource(terminal.name)
    terminal.unplug()
    with pytest.raises(SourceError) as caught:
        opened.read()
    assert re.fullmatch(rf"The port {terminal.name} is gone \(.+\): is the adapter unplugged\?", str(caught.value))
    assert caught.value.why == "is gone"
    with pytest.raises(
        SourceError, match=f"^{terminal.name} cannot be set to 1200 baud .+: is it unplugged, or unable to"
    ):
        opened.tune(1200)
    opened.close()


def test_a_port_that_was_closed_meanwhile_says_so(terminal: Terminal) -> None:
    opened = SerialSource(terminal.name)
    opened.close()
    with pytest.raises(SourceError, match=f"^The port {terminal.name} is gone "):
        opened.read()


# --- the speed -----------------------------------------------------------------------------------


def test_the_speed_of_a_pseudo_terminal_can_be_changed_and_the_terminal_opened_again(terminal: Terminal) -> None:
    """Had parity been asked for, Linux would drop it and answer EINVAL from the second setting on."""
    for _ in range(2):
        opened = SerialSource(terminal.name, 1200)
        for speed in (*SPEEDS, *SPEEDS):
            opened.tune(speed)
            assert termios.tcgetattr(terminal.port)[5] == getattr(termios, f"B{speed}")
            terminal.write(STANDARD_FRAME)
            assert read_until(opened, len(STANDARD_FRAME)) == STANDARD_FRAME
        opened.close()


def test_tuning_makes_a_terminal_raw_again(terminal: Terminal) -> None:
    opened = SerialSource(terminal.name)
    raw = termios.tcgetattr(terminal.port)
    cooked = [termios.ICRNL | termios.IXON, *raw[1:3], raw[3] | termios.ICANON | termios.ISIG, *raw[4:]]
    termios.tcsetattr(terminal.port, termios.TCSANOW, cooked)
    opened.tune(9600)
    assert termios.tcgetattr(terminal.port) == raw
    opened.close()


class RealPort:
    """A port with parity, as pyserial sets it; the terminal behind is still a pseudo-terminal, which has none."""

    def __init__(self, terminal: Terminal, name: str, options: dict[str, Any]) -> None:
        self.options = {"name": name, **options}
        self._terminal = terminal

    def fileno(self) -> int:
        return self._terminal.port

    @property
    def baudrate(self) -> int:
        speed: int = self.options["baudrate"]
        return speed

    @baudrate.setter
    def baudrate(self, speed: int) -> None:
        if speed == 19200:  # a failure that a pseudo-terminal never has
            raise termios.error(22, "Invalid argument")
        self.options["baudrate"] = speed
        attributes = termios.tcgetattr(self._terminal.port)
        attributes[0] &= ~termios.INPCK
        termios.tcsetattr(self._terminal.port, termios.TCSANOW, attributes)


@pytest.fixture
def real_port(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> list[RealPort]:
    opened: list[RealPort] = []

    def open_port(name: str, **options: Any) -> RealPort:
        opened.append(RealPort(terminal, name, options))
        return opened[-1]

    monkeypatch.setattr("serial.serial_for_url", open_port)
    return opened


def test_a_real_port_is_opened_with_seven_bits_and_even_parity(terminal: Terminal, real_port: list[RealPort]) -> None:
    SerialSource("/dev/ttyUSB0", 1200)
    assert [opened.options for opened in real_port] == [
        {
            "name": "/dev/ttyUSB0",
            "baudrate": 1200,
            "bytesize": 7,
            "parity": "E",
            "stopbits": 1,
            "timeout": 0.1,
            "exclusive": True,
        }
    ]
    assert termios.tcgetattr(terminal.port)[0] & termios.INPCK


@pytest.mark.parametrize(("number", "bits"), [(22, [7, 8]), (5, [7])])
def test_an_adapter_that_only_reads_eight_bits_is_read_so(
    number: int, bits: list[int], terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def open_port(name: str, **options: Any) -> RealPort:
        asked.append(options["bytesize"])
        if options["parity"] == "E":
            raise termios.error(number, "no")
        return RealPort(terminal, name, options)

    monkeypatch.setattr("serial.serial_for_url", open_port)
    with nullcontext() if number == 22 else pytest.raises(SourceError, match="cannot be opened"):
        SerialSource("/dev/ttyUSB0")
    assert asked == bits


def test_the_kernel_checks_parity_and_passes_breaks_at_every_speed(
    terminal: Terminal, real_port: list[RealPort]
) -> None:
    attributes = termios.tcgetattr(terminal.port)
    attributes[0] |= termios.IGNPAR | termios.PARMRK | termios.BRKINT
    termios.tcsetattr(terminal.port, termios.TCSANOW, attributes)
    opened = SerialSource("/dev/ttyUSB0")
    for speed in (9600, 1200):
        opened.tune(speed)
        checked = termios.tcgetattr(terminal.port)[0]
        flags = termios.INPCK | termios.IGNPAR | termios.PARMRK | termios.BRKINT
        assert (checked & flags, real_port[0].baudrate) == (termios.INPCK, speed)


def test_a_speed_that_the_port_refuses_is_one_sentence(real_port: list[RealPort]) -> None:
    opened = SerialSource("/dev/ttyUSB0")
    with pytest.raises(SourceError) as caught:
        opened.tune(19200)
    assert str(caught.value) == (
        "/dev/ttyUSB0 cannot be set to 19200 baud (Invalid argument): is it unplugged, or unable to?"
    )
    assert len(real_port) == 1


# --- ports that cannot be opened -----------------------------------------------------------------


def test_a_port_in_use_says_so(terminal: Terminal) -> None:
    opened = SerialSource(terminal.name)
    assert complaint(terminal.name) == (
        f"The port {terminal.name} is in use by another program: stop it, or give us another port",
        "is in use by another program",
    )
    opened.close()


def test_a_missing_port_says_so() -> None:
    assert complaint("/dev/nowhere") == (
        "The port /dev/nowhere does not exist: is the adapter plugged in, is the name right?",
        "does not exist",
    )


def test_what_is_no_port_says_so() -> None:
    assert [complaint("/dev/null"), complaint("/dev/shm")] == [
        ("/dev/null is not a serial port: name one, such as /dev/ttyUSB0", "is not a serial port"),
        ("The port /dev/shm cannot be opened (Is a directory)", "cannot be opened (Is a directory)"),
    ]


def test_a_port_without_rights_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_options: object) -> None:  # a failure that root, who runs these tests, never meets
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("serial.serial_for_url", refuse)
    assert complaint("/dev/ttyUSB0") == (
        (
            "The port /dev/ttyUSB0 may not be opened by this user: add it to the group dialout "
            "(sudo adduser $USER dialout)"
        ),
        "may not be opened by this user",
    )


# --- finding ports -------------------------------------------------------------------------------


@dataclass
class Plugged:
    device: str
    vid: int | None


@pytest.mark.parametrize(
    ("ports", "names"),
    [
        ([], []),
        ([Plugged("/dev/ttyS0", None)], []),
        ([Plugged("/dev/ttyUSB7", 1027), Plugged("/dev/ttyS0", None)], ["/dev/ttyUSB7"]),
        ([Plugged("/dev/ttyAMA0", None)], ["/dev/ttyAMA0"]),
        ([Plugged("/dev/ttyUSB1", 1), Plugged("/dev/ttyUSB0", 1)], ["/dev/ttyUSB0", "/dev/ttyUSB1"]),
    ],
)
def test_the_ports_that_look_like_an_adapter_are_found(
    ports: list[Plugged], names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_ports, "comports", lambda: ports)
    assert find_ports() == names


def test_a_stable_name_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ttyUSB0").touch()
    (tmp_path / "by-id").mkdir()
    stable = tmp_path / "by-id" / "usb-FTDI-port0"
    stable.symlink_to(tmp_path / "ttyUSB0")
    monkeypatch.setattr(port, "STABLE_NAMES", tmp_path / "by-id")
    monkeypatch.setattr(list_ports, "comports", lambda: [Plugged(str(tmp_path / "ttyUSB0"), 1027)])
    assert find_ports() == [str(stable)]


# --- the network ---------------------------------------------------------------------------------


def test_a_socket_gives_what_the_other_end_sends_and_says_when_it_is_gone() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        spec = f"socket://127.0.0.1:{server.getsockname()[1]}"
        opened = SerialSource(spec)
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
    assert complaint(spec)[0] == f"{spec} refuses connections: is the serial server running there?"


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
    assert complaint(spec)[0] == said


def test_a_host_that_nobody_knows_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_args: object, **_options: object) -> None:  # a failure, without asking a name server
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.create_connection", unknown)
    assert complaint("socket://serial.lan:7000")[0] == (
        "socket://serial.lan:7000 cannot be reached (Name or service not known): is the address right?"
    )
