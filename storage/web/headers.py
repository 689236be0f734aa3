"""The content security policy: everything comes from here, nothing is inline."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponseBase

from storage.web.after import After

POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'self'"
)


class ContentSecurityPolicy(After):
    """Adds the header to each response."""

    def look(self, request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
        """A view that needs another one has set it."""
        response.headers.setdefault("Content-Security-Policy", POLICY)
