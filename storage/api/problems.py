"""What went wrong, as an answer: whatever the caller can be blamed for is a 400, and says which field."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.exceptions import NON_FIELD_ERRORS, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, IntegrityError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404
from rest_framework import exceptions, parsers, status, views
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.response import Response
from rest_framework.settings import api_settings


class TooLarge(exceptions.APIException):
    """More than the settings take."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "the body is too large"


class Blocked(exceptions.APIException):
    """Other rows hold this one fast."""

    status_code = status.HTTP_409_CONFLICT


class JSONParser(parsers.JSONParser):
    """JSON of a bounded size and depth."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The value."""
        most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        body = stream.read(most + 1)
        if len(body) > most:
            raise TooLarge
        try:
            return json.loads(body, parse_constant=_refuse)
        except RecursionError:
            raise exceptions.ParseError("JSON parse error - too deep") from None
        except ValueError as error:
            raise exceptions.ParseError(f"JSON parse error - {error}") from None


class Negotiation(DefaultContentNegotiation):
    """DRF's; a format that is not known is a mistake in the question, not a page that is not there."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:  # noqa: A002  DRF's word
        """Those of this format."""
        try:
            return super().filter_renderers(renderers, format)
        except Http404:
            known = ", ".join(str(renderer.format) for renderer in renderers)
            raise exceptions.ValidationError({"format": [f"{format!r} is not known: expected {known}"]}) from None


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def said(error: DjangoValidationError) -> dict[str, list[str]]:
    """Django's errors under the names of fields, as DRF has them."""
    named = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    whole = str(api_settings.NON_FIELD_ERRORS_KEY)
    return {whole if name == NON_FIELD_ERRORS else name: messages for name, messages in named.items()}


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler, which also knows what models and the database refuse."""
    if isinstance(error, DjangoValidationError):
        error = exceptions.ValidationError(said(error))
    elif isinstance(error, RequestDataTooBig):
        error = TooLarge()
    elif isinstance(error, (ProtectedError, RestrictedError)):
        error = Blocked({"detail": "Other rows hold this fast: delete them first.", "blocked": _names(error)})
    elif isinstance(error, IntegrityError):  # what validation could not see: somebody else was faster
        error = exceptions.ValidationError({"detail": "The database refuses this: it contradicts what is there."})
    elif isinstance(error, DataError):
        error = exceptions.ValidationError({"detail": "The database refuses this: a value does not fit."})
    return views.exception_handler(error, context)


def _names(error: ProtectedError | RestrictedError) -> list[str]:
    rows = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
    return sorted({row._meta.label_lower for row in rows})
