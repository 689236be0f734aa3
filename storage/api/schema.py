"""What OpenAPI says of the views: the question's parameters, the page around results, and the errors."""

from __future__ import annotations

from typing import Any, Final, Literal

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema as SpectacularSchema
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view

from storage.api.functions import AGGREGATES
from storage.api.question import LARGEST_PAGE, PAGE_SIZE
from storage.entities.perishable import PerishableEntity

_PROBLEM: Final = {"type": "object", "additionalProperties": {}}
_ERRORS: Final = {
    "400": "What was sent will not do: under the name of each parameter or field, why.",
    "401": "Nobody is logged in.",
    "403": "Who is logged in may not do this.",
    "404": "There is no such row.",
    "406": "The answer is not to be had in that form.",
    "409": "Other rows hold this one fast.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
}
_ALWAYS: Final = ("400", "401", "403", "404", "406")
_WRITING: Final = ("409", "413", "415")

_TEXTS: Final = {
    "filters": 'Conditions, nested: and(a:1,or(b__gte:2,not(c:"x, y"))).',
    "order_by": "Names; - turns round, < and > put what is empty first or last.",
    "fields": "Only these keys, also of relations (author.name) and functions, with an alias after a colon.",
    "annotate": "Functions with names, for filters and order: lower(name):small.",
    "distinct": "1: rows of `fields` that differ; names: one row for each of their values.",
    "group_by": "Names or functions; together with aggregates.",
    **{name: f"Aggregate: {name} of these terms, each with an alias after a colon." for name in AGGREGATES},
}
_FLAGS: Final = {
    "simple": "Relations as keys only.",
    "meta": "With metadata.",
    "display": "With the words of choices.",
}
_LIST_FLAGS: Final = {
    **_FLAGS,
    "all": "Everything on one page, as long as it is not too much.",
    "silent": "Leave out what is not understood; `options.ignored` tells.",
}


class SessionExtension(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # spectacular's own
    """The browser's login, as OpenAPI says it."""

    target_class = "storage.api.access.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:  # spectacular's own signature
        """A cookie."""
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class RelatedExtension(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]  # spectacular's own
    """A key, or the object that is nested for it."""

    target_class = "storage.api.serializers.RelatedField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> Any:  # spectacular's own signature
        """Either."""
        key = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        nested = self.target.nested
        if nested is None:
            return key
        whole = {"type": "object"} if direction == "request" else auto_schema.resolve_serializer(nested, direction).ref
        return {"anyOf": [key, whole]}


class AutoSchema(SpectacularSchema):
    """spectacular's, with the errors that every view may answer."""

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        for status in (*_ALWAYS, *(_WRITING if self.method != "GET" else ())):
            bodies.setdefault(
                status,
                {"content": {"application/json": {"schema": _PROBLEM}}, "description": _ERRORS[status]},
            )
        return bodies


def say_null_once(result: Any, **_: Any) -> Any:  # spectacular's protocol
    """Where spectacular says twice that a value may be null: a type with two of them, or anything, or null."""
    if isinstance(result, dict):
        if {} in result.get("oneOf", ()):
            del result["oneOf"]
        if isinstance(kinds := result.get("type"), list):
            result["type"] = list(dict.fromkeys(kinds))
        for inner in result.values():
            say_null_once(inner)
    elif isinstance(result, list):
        for inner in result:
            say_null_once(inner)
    return result


def documented(viewset: Any) -> Any:
    """The viewset, with what OpenAPI says of its actions."""
    resource = viewset.resource
    told: dict[str, Any] = {
        "list": extend_schema(parameters=_of_list(resource)),
        "retrieve": extend_schema(parameters=_flags(_FLAGS)),
    }
    if hasattr(viewset, "update"):
        extra = {"correct": "Correct this version in place instead of opening the next."}
        perishable = issubclass(resource.model, PerishableEntity)
        told["update"] = told["partial_update"] = extend_schema(
            parameters=_flags({**_FLAGS, **(extra if perishable else {})})
        )
        if perishable:
            told["destroy"] = extend_schema(parameters=_flags({"force": "Delete it in truth instead of closing it."}))
    return extend_schema_view(**told)(viewset)


def _flags(texts: dict[str, str]) -> list[OpenApiParameter]:
    return [OpenApiParameter(name, bool, description=text) for name, text in texts.items()]


def _of_list(resource: Any) -> list[OpenApiParameter]:
    columns = [name for name in resource.fields if resource.column(name) is not None]
    numbers = {"page": (1, 1_000_000_000, 1), "page_size": (1, LARGEST_PAGE, PAGE_SIZE)}
    found = [OpenApiParameter(name, str, description="Equal to this; lookups as name__gte.") for name in columns]
    found += [OpenApiParameter(name, str, description=text) for name, text in _TEXTS.items()]
    found += _flags(_LIST_FLAGS)
    if issubclass(resource.model, PerishableEntity):
        found.append(OpenApiParameter("valid", str, enum=["1", "0", "all"], description="What holds, or does not."))
        found.append(OpenApiParameter("valid_date", str, description="At this instant; now, if none is given."))
    for name, (least, most, usual) in numbers.items():
        schema = {"type": "integer", "minimum": least, "maximum": most, "default": usual}
        found.append(OpenApiParameter(name, schema, description="Of results."))
    return found
