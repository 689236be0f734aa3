"""Serial ports, local or behind a URL: which there are, opening them, and what to tell the owner when that fails."""

from __future__ import annotations

import errno
import os
import select
import termios
import time
from enum import Enum, auto
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import serial
from serial.tools import list_ports

from bridge.tic.catalogue import BAUD, Mode

_PLENTY: Final = 512  # bytes that are not worth waiting for more: no meter is so fast
URLS: Final = ("socket://", "rfc2217://")
PIECE: Final = 4096  # bytes taken at once
PATIENCE: Final = 0.1  # seconds that a read over the network may wait for more; pieces, never single bytes
_QUIET: Final = 0.5  # seconds that a read of a port waits for the first byte
_GATHER: Final = 0.08  # and then for more: a frame comes in a dozen pieces, whatever the adapter hands over at once
STABLE_NAMES: Final = Path("/dev/serial/by-id")


class Fault(Enum):
    """Why a port cannot be opened."""

    MISSING = auto()
    FORBIDDEN = auto()
    BUSY = auto()
    NO_PORT = auto()  # it is something else
    OTHER = auto()


class SourceError(Exception):
    """The source cannot be read; the text is a sentence for the owner. `why` is the finding alone."""

    def __init__(self, sentence: str, why: str = "cannot be read", fault: Fault = Fault.OTHER) -> None:
        super().__init__(sentence)
        self.why = why
        self.fault = fault


def find_ports() -> list[str]:
    """The serial ports that look like an adapter, each by its stable name where it has one."""
    ports = [port.device for port in list_ports.comports() if port.vid is not None or "AMA" in port.device]
    stable = {link.resolve(): str(link) for link in sorted(STABLE_NAMES.glob("*"))} if STABLE_NAMES.is_dir() else {}
    return sorted(stable.get(Path(port).resolve(), port) for port in ports)


class SerialSource:
    """A serial port, local or behind a URL that pyserial understands."""

    def __init__(self, spec: str, speed: int = BAUD[Mode.STANDARD]) -> None:
        if spec.startswith(URLS):
            _check_url(spec)
        self._spec = spec
        # A pseudo-terminal has no parity: Linux drops the flag, and setting anything again then fails.
        plain = os.path.realpath(spec).startswith("/dev/pts/") or spec.startswith("socket://")
        self._is_local = not spec.startswith(URLS)
        self._marks_parity = not plain and not spec.startswith(URLS)
        try:
            self._port = _eight_bits(spec, speed) if plain else _seven_bits(spec, speed)
            if self._marks_parity:
                _check_parity(self._port.fileno())
        except (OSError, ValueError, termios.error) as error:
            raise _cannot_open(spec, error) from None

    def read(self) -> bytes:
        try:
            if not self._is_local:
                return bytes(self._port.read(PIECE))
            # pyserial alone would wake for every few bytes that an adapter hands over.
            if not select.select([self._port.fileno()], [], [], _QUIET)[0]:
                return b""
            if self._waiting() < _PLENTY:
                time.sleep(_GATHER)
            return bytes(self._port.read(min(PIECE, max(1, self._waiting()))))
        except (OSError, termios.error, TypeError) as error:  # TypeError: closed by another thread meanwhile
            raise self._gone(error) from None

    def _waiting(self) -> int:
        """Bytes that can be read now; a port of this machine knows."""
        return int(self._port.in_waiting)  # type: ignore[attr-defined]

    def tune(self, speed: int) -> None:
        """Listen at another speed; and raw again, if another program changed that."""
        try:
            self._port.baudrate = speed
            if self._marks_parity:
                _check_parity(self._port.fileno())
        except (OSError, ValueError, termios.error) as error:
            why = f"cannot be set to {speed} baud ({_reason(error)})"
            raise SourceError(f"{self._spec} {why}: is it unplugged, or unable to?", why) from None

    def close(self) -> None:
        self._port.close()

    def _gone(self, error: Exception) -> SourceError:
        reason = _reason(error)
        if self._spec.startswith(URLS):
            return SourceError(f"{self._spec} is gone ({reason}): is the serial server running there?", "is gone")
        return SourceError(f"The port {self._spec} is gone ({reason}): is the adapter unplugged?", "is gone")


def _seven_bits(spec: str, speed: int) -> serial.SerialBase:
    try:
        return _open(spec, speed, serial.SEVENBITS, serial.PARITY_EVEN)
    except termios.error as error:
        if error.args[0] != errno.EINVAL:
            raise
        return _eight_bits(spec, speed)  # some adapters only read eight; the parity is then bit 7


def _eight_bits(spec: str, speed: int) -> serial.SerialBase:
    return _open(spec, speed, serial.EIGHTBITS, serial.PARITY_NONE)


def _open(spec: str, speed: int, bits: int, parity: str) -> serial.SerialBase:
    # timeout and parity are set once, here: pyserial would set the whole port again for each change.
    return serial.serial_for_url(
        spec,
        baudrate=speed,
        bytesize=bits,
        parity=parity,
        stopbits=serial.STOPBITS_ONE,
        timeout=PATIENCE,
        exclusive=None if spec.startswith(URLS) else True,
    )


def _reason(error: Exception) -> str:
    return str(error.args[-1] if isinstance(error, termios.error) else error).removeprefix("read failed: ")


def _check_parity(descriptor: int) -> None:
    """Have the kernel check parity: a character that fails arrives as NUL. pyserial sets it off at each change."""
    attributes = termios.tcgetattr(descriptor)
    dropped = termios.IGNPAR | termios.PARMRK | termios.BRKINT  # BRKINT: a break would empty the queue
    attributes[0] = attributes[0] & ~dropped | termios.INPCK
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _cannot_open(spec: str, error: Exception) -> SourceError:
    number = error.errno if isinstance(error, OSError) else None
    text = str(error)
    if spec.startswith(URLS):
        return SourceError(_url_sentence(spec, text))
    if isinstance(error, FileNotFoundError) or number == errno.ENOENT:
        fault, why, what = Fault.MISSING, "does not exist", "is the adapter plugged in, is the name right?"
    elif isinstance(error, PermissionError) or number == errno.EACCES:
        fault, why = Fault.FORBIDDEN, "may not be opened by this user"
        what = "add it to the group dialout (sudo adduser $USER dialout)"
    elif "lock" in text or number == errno.EBUSY:
        fault, why, what = Fault.BUSY, "is in use by another program", "stop it, or give us another port"
    elif "ioctl" in text:
        sentence, why = f"{spec} is not a serial port: name one, such as /dev/ttyUSB0", "is not a serial port"
        return SourceError(sentence, why, Fault.NO_PORT)
    else:
        why = f"cannot be opened ({os.strerror(number) if number else text})"
        return SourceError(f"The port {spec} {why}", why)
    return SourceError(f"The port {spec} {why}: {what}", why, fault)


def _url_sentence(spec: str, text: str) -> str:
    if "refused" in text:
        return f"{spec} refuses connections: is the serial server running there?"
    return f"{spec} cannot be reached ({text.rpartition('] ')[2]}): is the address right?"


def _check_url(spec: str) -> None:
    """pyserial's own words about an address that is none help nobody."""
    try:
        parts = urlsplit(spec)
        complete = parts.hostname and parts.port
    except ValueError:
        complete = None
    if not complete:
        raise SourceError(f"{spec} will not do; expected {spec.partition(':')[0]}://host:port")
