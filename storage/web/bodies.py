"""How long a request may be: Django writes all of it to a disk before any of our code sees who sent it."""

from __future__ import annotations

from typing import Any, Final

_UPLOADS: Final = "/data/import/"
_MOST_SENT: Final = 513 * 1024 * 1024  # a file that is sent, and its form
_MOST: Final = 8 * 1024 * 1024  # everything else


def _limit(scope: dict[str, Any]) -> int:
    return _MOST_SENT if str(scope["path"]).endswith(_UPLOADS) else _MOST


def too_long(scope: dict[str, Any]) -> bool:
    """Whether the request itself says so."""
    said = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
    return not said.isdigit() or int(said) > _limit(scope)


def bounded(scope: dict[str, Any], receive: Any) -> Any:  # ASGI's own shapes
    """A body that does not say its length, and is longer than it may be, is one whose sender has gone."""
    left = _limit(scope)

    async def bounded_receive() -> dict[str, Any]:
        nonlocal left
        event: dict[str, Any] = await receive()
        left -= len(event.get("body", b""))
        return event if left >= 0 else {"type": "http.disconnect"}

    return bounded_receive


async def refuse(send: Any) -> None:  # as above
    """413."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"This request is longer than it may be.\n"})
