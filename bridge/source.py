"""Where the meter's bytes come from: a serial port, a network port, a recorded file, standard input, a simulation."""

from __future__ import annotations

import os
import sys
import termios
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports

from bridge.simulator import SimulatedMeter, read_plan
from bridge.tic.catalogue import Mode

BAUD: Final = {Mode.STANDARD: 9600, Mode.HISTORIQUE: 1200}
PIECE: Final = 4096  # bytes taken at once
PATIENCE: Final = 0.1  # seconds that a read may wait for more; pieces, never single bytes
_SEVEN_BITS: Final = bytes(n & 0x7F for n in range(256))
STABLE_NAMES: Final = Path("/dev/serial/by-id")
_URLS: Final = ("socket://", "rfc2217://")


class SourceError(Exception):
    """The source cannot be read; the text is a sentence for the owner."""


class SourceEnded(Exception):  # noqa: N818  an end, not an error
    """There is nothing more to read: a file's end."""


class Source(Protocol):
    """An open source of bytes."""

    def read(self) -> bytes:
        """What arrived within a short time, possibly nothing. `SourceError` when it broke, `SourceEnded` at its end."""

    def close(self) -> None:
        """Give it back."""


def is_port(spec: str) -> bool:
    """Whether the source is a serial port, whose speed we must choose."""
    return spec == "auto" or spec.startswith(("/dev/", "rfc2217://"))


def open_source(spec: str, mode: Mode | None) -> Source:
    """Open `auto`, `/dev/...`, `socket://host:port`, `rfc2217://host:port`, `sim:tempo`, `-` or a file."""
    if spec == "auto":
        spec = find_port()
    if spec.startswith("sim:"):
        return SimulatedSource(spec.removeprefix("sim:"))
    if spec.startswith(_URLS):
        _check_url(spec)
    if spec.startswith(("/dev/", *_URLS)):
        return SerialSource(spec, mode)
    return FileSource(spec)


def _check_url(spec: str) -> None:
    """pyserial's own words about an address that is none help nobody."""
    try:
        parts = urlsplit(spec)
        complete = parts.hostname and parts.port
    except ValueError:
        complete = None
    if not complete:
        raise SourceError(f"{spec} will not do; expected {spec.partition(':')[0]}://host:port")


def find_port() -> str:
    """The only serial port that looks like an adapter, by its stable name where it has one."""
    ports = [port.device for port in list_ports.comports() if port.vid is not None or "AMA" in port.device]
    if len(ports) != 1:
        found = ", ".join(ports) or "none"
        raise SourceError(
            f"meters.0.source: 'auto' needs exactly one serial adapter and found {found}: plug it in, or name the port"
        )
    names = [str(p) for p in STABLE_NAMES.glob("*") if p.resolve() == Path(ports[0])] if STABLE_NAMES.is_dir() else []
    return names[0] if names else ports[0]


class SerialSource:
    """A serial port, local or behind a URL that pyserial understands."""

    def __init__(self, spec: str, mode: Mode | None) -> None:
        self._spec = spec
        # A pseudo-terminal has no parity: Linux drops the flag, and setting it again then fails.
        plain = os.path.realpath(spec).startswith("/dev/pts/") or spec.startswith("socket://")
        try:
            # timeout and parity are set once, here: pyserial would set the whole port again for each change.
            self._port = serial.serial_for_url(
                spec,
                baudrate=BAUD[mode or Mode.STANDARD],
                bytesize=serial.EIGHTBITS if plain else serial.SEVENBITS,
                parity=serial.PARITY_NONE if plain else serial.PARITY_EVEN,
                stopbits=serial.STOPBITS_ONE,
                timeout=PATIENCE,
                exclusive=None if spec.startswith(_URLS) else True,
            )
            if not plain and not spec.startswith(_URLS):
                _check_parity(self._port.fileno())
        except (OSError, ValueError, termios.error) as error:
            raise SourceError(_sentence(spec, error)) from None

    def read(self) -> bytes:
        try:
            return bytes(self._port.read(PIECE)).translate(_SEVEN_BITS)
        except (OSError, termios.error, TypeError) as error:  # TypeError: closed by another thread meanwhile
            reason = str(error).removeprefix("read failed: ")
            if self._spec.startswith(_URLS):
                raise SourceError(f"{self._spec} is gone ({reason}): is the serial server running there?") from None
            raise SourceError(f"The port {self._spec} is gone ({reason}): is the adapter unplugged?") from None

    def close(self) -> None:
        self._port.close()


def _check_parity(descriptor: int) -> None:
    """Have the kernel check parity: a character that fails arrives as NUL. pyserial leaves that off."""
    attributes = termios.tcgetattr(descriptor)
    attributes[0] = attributes[0] & ~(termios.IGNPAR | termios.PARMRK) | termios.INPCK
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _sentence(spec: str, error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    text = str(error)
    if spec.startswith(_URLS):
        return _url_sentence(spec, text)
    if isinstance(error, FileNotFoundError) or number == 2:
        return f"The port {spec} does not exist: is the adapter plugged in, is the name right?"
    if isinstance(error, PermissionError) or number == 13:
        return (
            f"The port {spec} may not be opened by this user: add it to the group dialout (sudo adduser $USER dialout)"
        )
    if "lock" in text or number == 16:
        return f"The port {spec} is in use by another program: stop it, or give us another port"
    if "ioctl" in text:
        return f"{spec} is not a serial port: name one, such as /dev/ttyUSB0"
    return f"The port {spec} cannot be opened ({os.strerror(number) if number else text})"


def _url_sentence(spec: str, text: str) -> str:
    if "refused" in text:
        return f"{spec} refuses connections: is the serial server running there?"
    return f"{spec} cannot be reached ({text.rpartition('] ')[2]}): is the address right?"


class FileSource:
    """A recorded file, or standard input as `-`."""

    def __init__(self, spec: str) -> None:
        try:
            self._file: BinaryIO = sys.stdin.buffer if spec == "-" else Path(spec).open("rb")  # noqa: SIM115  closed by close()
        except IsADirectoryError:
            raise SourceError(f"{spec} is a folder: name a file in it") from None
        except OSError as error:
            raise SourceError(f"{spec} cannot be read ({error.strerror}): is the name right?") from None

    def read(self) -> bytes:
        # read1: on a pipe, what is there, not a full buffer
        piece = self._file.read1(PIECE)  # type: ignore[attr-defined]  # both are buffered readers
        if not piece:
            raise SourceEnded
        return bytes(piece).translate(_SEVEN_BITS)

    def close(self) -> None:
        if self._file is not sys.stdin.buffer:
            self._file.close()


class SimulatedSource:
    """A meter that does not exist, at its own pace."""

    def __init__(self, text: str, sleep: Callable[[float], None] = time.sleep) -> None:
        try:
            plan, self._speed = read_plan(text)
        except ValueError as error:
            raise SourceError(f"sim:{text}: {error} (for instance sim:tempo?mode=historique&phases=3)") from None
        self._sleep = sleep
        self._now = datetime.now(UTC)
        self._meter = SimulatedMeter(plan, self._now)
        self._wait = 0.0

    def read(self) -> bytes:
        step = min(self._wait, PATIENCE)
        if step > 0:
            self._sleep(step)
            self._wait -= step
            return b""
        frame = self._meter.frame(self._now)
        seconds = self._meter.seconds(frame)
        self._now += timedelta(seconds=seconds)
        self._wait = seconds / self._speed
        return frame

    def close(self) -> None:
        """Nothing to give back."""
