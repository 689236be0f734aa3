"""The content security policy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from django.http import HttpRequest, HttpResponse

from storage.web.headers import POLICY, ContentSecurityPolicy


def test_each_answer_carries_the_policy() -> None:
    answer = ContentSecurityPolicy(lambda _: HttpResponse())(HttpRequest())
    assert isinstance(answer, HttpResponse)
    assert answer.headers["Content-Security-Policy"] == POLICY


def test_an_asynchronous_answer_does_too() -> None:
    async def later(_: HttpRequest) -> HttpResponse:
        return HttpResponse()

    async def scenario() -> str:
        answer = ContentSecurityPolicy(later)(HttpRequest())
        assert isinstance(answer, Awaitable)
        return (await answer).headers["Content-Security-Policy"]

    assert asyncio.run(scenario()) == POLICY


def test_a_page_may_have_a_policy_of_its_own() -> None:
    own = HttpResponse(headers={"Content-Security-Policy": "default-src 'none'"})
    answer = ContentSecurityPolicy(lambda _: own)(HttpRequest())
    assert isinstance(answer, HttpResponse)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'"
