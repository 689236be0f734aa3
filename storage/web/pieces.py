"""An answer that is sent piece by piece as it is made."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def streamed(request: HttpRequest, pieces: Iterator[bytes]) -> StreamingHttpResponse:
    """However the request came."""
    return StreamingHttpResponse(_asynchronous(pieces) if isinstance(request, ASGIRequest) else pieces)


async def _asynchronous(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """On the request's own thread, where its connection to the database lives."""
    step = sync_to_async(lambda: next(pieces, None))
    while (piece := await step()) is not None:
        yield piece
