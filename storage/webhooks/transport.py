"""httpx's wire, bounded: it connects to the addresses that were judged, ends in time, and reads so much and no more."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic
from typing import Any, Final

import httpcore
import httpx

MOST: Final = 64 * 1024  # bytes of an answer
_SocketOptions = Iterable[Any] | None  # httpcore's own type is longer than these lines


class Deadline:
    """One end for everything: a target that gives a byte each second must not hold us for ever."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def left(self) -> float:
        """Seconds; at none, a time-out."""
        left = self._end - self._clock()
        if left <= 0:
            raise httpcore.ReadTimeout("the whole took too long")
        return left


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:  # httpcore's own
        return self._stream.get_extra_info(info)


class _Network(httpcore.NetworkBackend):
    """Knows the addresses already: no second look-up can give another one."""

    def __init__(self, addresses: Sequence[str], deadline: Deadline) -> None:
        self._addresses = addresses
        self._deadline = deadline
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: _SocketOptions = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        failed: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses:
            try:
                stream = self._backend.connect_tcp(address, port, self._deadline.left())
            except httpcore.ConnectError as error:
                failed = error
            else:
                return _Stream(stream, self._deadline)
        raise failed


class _Body(httpx.SyncByteStream):
    """As much of an answer as is of use; the rest is never read."""

    def __init__(self, stream: Any) -> None:  # an iterable of bytes with close(), as httpcore gives it
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for piece in self._stream:
            read += len(piece)
            yield piece[: MOST - (read - len(piece))] if read > MOST else piece
            if read >= MOST:
                return

    def close(self) -> None:
        self._stream.close()


class Transport(httpx.BaseTransport):
    """One connection to one target."""

    def __init__(self, addresses: Sequence[str], deadline: Deadline) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(),
            max_keepalive_connections=0,
            network_backend=_Network(addresses, deadline),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx wants it. The answer's encoding is taken away: nothing that grows is unpacked here."""
        url = request.url
        asked = httpcore.Request(
            method=request.method,
            url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.read(),
        )
        answer = self._pool.handle_request(asked)
        headers = [(name, value) for name, value in answer.headers if name.lower() != b"content-encoding"]
        return httpx.Response(answer.status, headers=headers, stream=_Body(answer.stream))

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.close()
