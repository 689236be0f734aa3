"""A middleware that only looks at the answer, in sync and async stacks alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from time import perf_counter

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

_Answer = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class After(ABC):
    """Calls `look` with each request, its answer, and the seconds until that began."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        began = perf_counter()
        response = self._get_response(request)
        if isinstance(response, Awaitable):
            return self._later(request, response, began)
        self.look(request, response, perf_counter() - began)
        return response

    async def _later(
        self, request: HttpRequest, coming: Awaitable[HttpResponseBase], began: float
    ) -> HttpResponseBase:  # fmt: skip
        response = await coming
        self.look(request, response, perf_counter() - began)
        return response

    @abstractmethod
    def look(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        """What is to be done with the answer."""
