"""The page around results: how many there are, where the others are, and what was understood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from storage.api.answering import Answer
from storage.api.question import Question

_NUMBER: Final = {"type": "integer"}
_LINK: Final = {"type": ["string", "null"]}
_SAID: Final = {"type": "object", "additionalProperties": {"type": "string"}}


class Envelope(BasePagination):
    """DRF's place for it. The question has cut the page already: nothing is left to do but to wrap it."""

    def page(self, request: Request, question: Question, answer: Answer, results: Sequence[Any]) -> dict[str, Any]:
        """One page, with links to its neighbours."""

        def link(page: int) -> str | None:
            there = 1 <= page <= answer.pages
            return replace_query_param(request.build_absolute_uri(), "page", page) if there else None

        return {
            "count": answer.count,
            "page_size": answer.page_size,
            "page": answer.page,
            "pages": answer.pages,
            "previous": link(answer.page - 1),
            "next": link(answer.page + 1),
            "first": link(1),
            "last": link(answer.pages),
            "options": {
                "understood": {name: text for name, text in question.given.items() if name not in question.mistakes},
                "ignored": dict(question.mistakes),
            },
            "results": results,
        }

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """For OpenAPI: each result is a row, or has the keys that were asked for."""
        properties: dict[str, Any] = {
            **dict.fromkeys(("count", "page_size", "page", "pages"), _NUMBER),
            **dict.fromkeys(("previous", "next", "first", "last"), _LINK),
            "options": {
                "type": "object",
                "required": ["understood", "ignored"],
                "properties": {"understood": _SAID, "ignored": _SAID},
            },
            "results": {"type": "array", "items": {"anyOf": [schema["items"], {"type": "object"}]}},
        }
        return {"type": "object", "required": list(properties), "properties": properties}
