"""What belongs to no single resource: any entity by its uuid, and the words of every field with choices."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.http import Http404
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from storage.api.access import may
from storage.api.past import MOST_RECORDS, RecordSerializer, record_row
from storage.api.scope import Resources
from storage.api.sight import Sight
from storage.entities.registry import find_by_uuid

_LONGEST_UUID: Final = 45  # as urn:uuid:{...}


class FoundSerializer(serializers.Serializer[Any]):
    """An entity, and where it is."""

    model = serializers.CharField()
    id = serializers.JSONField()
    name = serializers.CharField()
    deleted = serializers.BooleanField()
    url = serializers.CharField()
    history = RecordSerializer(many=True)


_CHOICE: Final = {
    "type": "object",
    "required": ["value", "text"],
    "properties": {"value": {}, "text": {"type": "string"}},
}
_CHOICES: Final = {
    "type": "object",
    "additionalProperties": {"type": "object", "additionalProperties": {"type": "array", "items": _CHOICE}},
}


def uuid_view(resources: Resources, sight: Sight) -> Any:
    """The view that finds the entities of these resources."""

    class UuidView(APIView):
        """Any entity by its uuid; of a deleted one, its history."""

        permission_classes = (IsAuthenticated,)

        @extend_schema(responses=FoundSerializer, operation_id="uuid_retrieve")
        def get(self, request: Request, uuid: str) -> Response:
            """The entity's model, key and address; what may not be seen is not there."""
            found = find_by_uuid(uuid) if len(uuid) <= _LONGEST_UUID else None
            resource = None if found is None else resources.get(found.model)
            if found is None or resource is None or not may(request.user, "view", found.model):
                raise Http404
            entity: Any = found.entity
            rows = sight.rows(request, resource.rows())
            is_partial = resource.queryset is not None or not sight.is_whole(request)
            if (not found.is_deleted or is_partial) and not rows.filter(pk=entity.pk).exists():
                raise Http404
            records = type(entity).history.filter(**{entity._meta.pk.attname: entity.pk}).order_by("-history_id")
            where = f"{resource.name}-{'history' if found.is_deleted else 'detail'}"
            return Response({
                "model": resource.label,
                "id": entity.pk,
                "name": str(entity),
                "deleted": found.is_deleted,
                "url": reverse(where, args=[entity.pk], request=request),
                "history": [record_row(record) for record in records[:MOST_RECORDS]],
            })  # fmt: skip

    return UuidView.as_view()


def choices_view(resources: Resources) -> Any:
    """The view that tells the choices of these resources."""

    class ChoicesView(APIView):
        """The fields that have a choice of values."""

        permission_classes = (IsAuthenticated,)

        @extend_schema(
            operation_id="choices_retrieve",
            responses={200: OpenApiResponse(_CHOICES, "By resource and field.")},
        )
        def get(self, request: Request) -> Response:
            """By resource and field, each value and what people call it."""
            return Response({
                resource.name: _choices(model, resource.fields)
                for model, resource in resources.items()
                if may(request.user, "view", model)
            })  # fmt: skip

    return ChoicesView.as_view()


def _choices(model: type[models.Model], names: tuple[str, ...]) -> dict[str, list[dict[str, Any]]]:
    fields: list[Any] = [model._meta.get_field(name) for name in names]
    return {
        field.name: [{"value": value, "text": str(text)} for value, text in field.flatchoices]
        for field in fields
        if getattr(field, "choices", None)
    }
