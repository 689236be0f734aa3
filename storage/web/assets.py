"""Static files from the package itself, by WhiteNoise."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.contrib.staticfiles.storage import StaticFilesStorage
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]  # it has no types


class StaticFiles(WhiteNoiseMiddleware):  # type: ignore[misc]  # as above
    """WhiteNoise for ASGI: its own answer streams from a plain iterator, which Django warns of and copies anyway.

    Our files are small, the largest has 51 kB, so they are answered whole.
    """

    @staticmethod
    def serve(static_file: Any, request: HttpRequest) -> HttpResponse:  # Any: WhiteNoise has no types
        """The answer for one file."""
        found = static_file.get_response(request.method, request.META)
        body = b""
        if found.file is not None:
            with found.file:
                body = found.file.read()
        response = HttpResponse(body, status=int(found.status))
        del response["content-type"]
        for name, value in found.headers:
            response[name] = value
        if body:
            response["content-length"] = str(len(body))  # an upgrade may have changed the file since the start
        return response


class Below(StaticFilesStorage):
    """Addresses of static files below the path under which this request sees us; Django would keep the first one."""

    def url(self, name: str | None) -> str:
        """Its address."""
        return f"{get_script_prefix()}static/{quote(name or '')}"
