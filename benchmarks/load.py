"""Many meters' readings into a broker, cheaply: MQTT 3.1.1 written by hand over some sockets, as of aggregated bridges.

A reading is a bridge's own, of a standard frame of 38 groups; only what differs between meters is put in anew.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from bridge.topics import Topics, sent_again, write_ts

FIRST: Final = 1_000_000  # the number of a meter's first reading here: all have as many digits
PERIOD: Final = 1.5  # seconds from one reading of a meter to the next
_METER: Final = "021861000001"  # as in the bodies
_PER_LINK: Final = 100  # meters of one connection, as of one bridge
_MOST_LINKS: Final = 20
_PIECE: Final = 50  # readings of one write
_PUBACK: Final = 4  # bytes
_PATIENCE: Final = 60.0


class Load:
    """Meters that send `bodies`, one after the other; `sent` counts readings, `seconds` the processor time it took."""

    def __init__(self, port: int, meters: int, bodies: Sequence[str]) -> None:
        self._bodies = bodies
        self._meters = [f"02186{number:07}".encode() for number in range(meters)]
        number = max(1, min(_MOST_LINKS, meters // _PER_LINK))
        self._links = [_connect(port, b"%02d" % n) for n in range(number)]
        self._round = 0
        self._mid = 0
        self._unread = [0] * number  # bytes of PUBACKs to come
        self.sent = 0
        self.size = 0  # of a payload
        self.seconds = 0.0

    @property
    def meters(self) -> int:
        return len(self._meters)

    def send(self, rounds: int, period: float = 0.0) -> None:
        """So many readings of each meter; a round takes `period` seconds at least. All are at the broker then."""
        for _ in range(rounds):
            began, used = time.monotonic(), time.process_time()
            packets = self._packets()
            pieces = [packets[n : n + _PIECE] for n in range(0, len(packets), _PIECE)]
            for n, piece in enumerate(pieces):
                self._write(n % len(self._links), piece)
                wait = began + period * (n + 1) / len(pieces) - time.monotonic()
                if wait > 0:
                    time.sleep(wait)
            self.seconds += time.process_time() - used
        for n in range(len(self._links)):
            self._read(n, wait=True)

    def close(self) -> None:
        for link in self._links:
            link.close()

    def _packets(self) -> list[bytes]:
        topics, now = Topics(), datetime.now(UTC)
        message = sent_again(topics, _METER, self._bodies[self._round % len(self._bodies)], FIRST, FIRST, replay=False)
        before, _, after = message.payload.partition('"seq":')
        after = after[after.index(",") :]
        start = after.index('"ts":"') + 6
        payload = (
            f'{before}"seq":{FIRST + self._round}{after[:start]}{write_ts(now)}{after[after.index("Z", start) + 1 :]}'
        )
        self._round += 1
        self.size = len(payload)
        topic = message.topic.encode()
        size = 2 + len(topic) + 2 + len(payload)
        head = b"\x32" + bytes([size % 128 | 128, size // 128]) + struct.pack("!H", len(topic))
        parts = (topic + b"%M%" + payload.encode()).split(_METER.encode())
        found = []
        for meter in self._meters:
            self._mid = self._mid % 65_535 + 1
            found.append(head + meter.join(parts).replace(b"%M%", struct.pack("!H", self._mid), 1))
        return found

    def _write(self, n: int, packets: Sequence[bytes]) -> None:
        self._links[n].sendall(b"".join(packets))
        self.sent += len(packets)
        self._unread[n] += _PUBACK * len(packets)
        self._read(n)

    def _read(self, n: int, *, wait: bool = False) -> None:
        """Take PUBACKs off a link."""
        while self._unread[n]:
            try:
                got = self._links[n].recv(65_536, 0 if wait else socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            if not got:
                raise ConnectionError("the broker ended the connection")
            self._unread[n] -= len(got)


def _connect(port: int, name: bytes) -> socket.socket:
    link = socket.create_connection(("127.0.0.1", port), _PATIENCE)
    client = b"bench" + name
    link.sendall(
        b"\x10" + bytes([12 + len(client)]) + b"\x00\x04MQTT\x04\x02\x00\x00" + struct.pack("!H", len(client)) + client
    )
    answer = link.recv(4)
    if answer != b"\x20\x02\x00\x00":
        raise ConnectionError(f"the broker refuses us: {answer!r}")
    return link
