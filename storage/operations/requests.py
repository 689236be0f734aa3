"""How many requests came, and how long until their answers began: by route, never by address."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from storage.web.after import After

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


class CountRequests(After):
    """Counts each request. Whoever asks can invent addresses and methods, and each label's value is kept for ever."""

    def look(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        """By the route that was found."""
        match = request.resolver_match
        route = f"/{match.route}" if match is not None else "none"
        method = request.method if request.method in _METHODS else "other"
        _requests.labels(method, route, str(response.status_code)).inc()
        _seconds.labels(route).observe(seconds)
