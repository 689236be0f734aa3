"""A request that is too long ends before it fills a disk."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from storage.web.bodies import bounded, refuse, too_long

MEGABYTE = 1024 * 1024


def scope(path: str, length: bytes | None = None) -> dict[str, Any]:
    return {"path": path, "headers": [] if length is None else [(b"content-length", length)]}


@pytest.mark.parametrize(
    ("path", "length", "refused"),
    [
        ("/", b"100", False), ("/", None, False), ("/", b"9000000", True), ("/data/import/", b"9000000", False),
        ("/data/import/", b"600000000", True), ("/", b"-1", True),
    ],
)  # fmt: skip
def test_what_says_that_it_is_too_long_is_refused(path: str, length: bytes | None, refused: bool) -> None:
    assert too_long(scope(path, length)) is refused


def test_a_body_that_goes_on_ends_as_if_its_sender_had_gone() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"x" * (5 * MEGABYTE), "more_body": True}

    async def twice() -> list[str]:
        taken = bounded(scope("/"), receive)
        return [(await taken())["type"] for _ in range(2)]

    assert asyncio.run(twice()) == ["http.request", "http.disconnect"]


def test_the_refusal_is_an_answer() -> None:
    sent: list[dict[str, Any]] = []

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    asyncio.run(refuse(send))
    assert [sent[0]["status"], sent[1]["body"]] == [413, b"This request is longer than it may be.\n"]
