"""How many requests came, and how long until their answers began: by route, never by address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]  # a line beside each counter that says when it began: nobody asks
REGISTRY: Final = CollectorRegistry()
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})

_requests: Final = Counter(
    "ticbridge_http_requests_total", "Requests that were answered.", ("method", "route", "status"), registry=REGISTRY
)
_seconds: Final = Histogram(
    "ticbridge_http_request_duration_seconds", "Time until an answer began.", ("route",),
    buckets=(0.01, 0.03, 0.1, 0.3, 1, 3), registry=REGISTRY,
)  # fmt: skip

_Answer = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class CountRequests:
    """Counts each request, in sync and async stacks alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        began = perf_counter()
        response = self._get_response(request)
        return _later(request, response, began) if isinstance(response, Awaitable) else _count(request, response, began)


async def _later(request: HttpRequest, response: Awaitable[HttpResponseBase], began: float) -> HttpResponseBase:
    return _count(request, await response, began)


def _count(request: HttpRequest, response: HttpResponseBase, began: float) -> HttpResponseBase:
    # Whoever asks can invent addresses and methods, and each label's value is kept for ever.
    match = request.resolver_match
    route = f"/{match.route}" if match is not None else "none"
    method = request.method if request.method in _METHODS else "other"
    _requests.labels(method, route, str(response.status_code)).inc()
    _seconds.labels(route).observe(perf_counter() - began)
    return response
