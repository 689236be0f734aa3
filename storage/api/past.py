"""An entity's history by the API: its rows, what each changed, and the way back."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models, transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from storage.api.access import may
from storage.api.answering import shown_value
from storage.api.viewsets import ReadViewSet, WriteViewSet
from storage.entities.deleting import Taken, collect_deleted_data
from storage.entities.history import Record

_KINDS = {"+": "created", "~": "changed", "-": "deleted"}
MOST_RECORDS = 200


class ChangeSerializer(serializers.Serializer[Any]):
    """One field before and after."""

    field = serializers.CharField()
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class RecordSerializer(serializers.Serializer[Any]):
    """One row of history."""

    id = serializers.IntegerField()
    date = serializers.DateTimeField()
    type = serializers.ChoiceField(sorted(_KINDS.values()))
    user = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    restored_from = serializers.IntegerField(allow_null=True)


class WholeRecordSerializer(RecordSerializer):
    """With what it changed, and the entity as it was then."""

    changes = ChangeSerializer(many=True)
    values = serializers.DictField()


class RestoreSerializer(serializers.Serializer[Any]):
    """How far to go back."""

    fields = serializers.ListField(child=serializers.CharField(), required=False)  # type: ignore[assignment]  # a name of ours, not of DRF's
    reason = serializers.CharField(required=False, max_length=1000)
    rollback = serializers.BooleanField(default=False)


class TakenSerializer(serializers.Serializer[Any]):
    """Rows of one model; names only of what the caller may see."""

    model = serializers.CharField()
    count = serializers.IntegerField()
    names = serializers.ListField(child=serializers.CharField())


class DeletionSerializer(serializers.Serializer[Any]):
    """What would become of the database."""

    deleted = TakenSerializer(many=True)
    unlinked = TakenSerializer(many=True)
    blocked = TakenSerializer(many=True)


def record_row(record: Any) -> dict[str, Any]:
    """A row of history in short."""
    return {
        "id": record.history_id,
        "date": shown_value(record.history_date),
        "type": _KINDS[record.history_type],
        "user": record.history_user_id,
        "reason": record.history_change_reason,
        "restored_from": record.restored_from,
    }


class HistoryMixin(ReadViewSet):
    """Of what has a history, deleted or not."""

    def _records(self, pk: str) -> models.QuerySet[Any]:
        model: Any = self.resource.model
        try:
            key = model._meta.pk.to_python(pk)
            records: models.QuerySet[Any] = model.history.filter(**{model._meta.pk.attname: key})
            is_whole = self.resource.queryset is None and self.sight.is_whole(self.request)
            found = records.exists() and (is_whole or self.seen(self.resource.rows()).filter(pk=key).exists())
        except (ValueError, OverflowError, DjangoValidationError):
            found = False
        if not found:
            raise Http404
        return records.order_by("-history_id")

    def _record(self, pk: str, record: str) -> Any:
        if not record.isascii() or len(record) > 18:
            raise Http404
        found = self._records(pk).filter(history_id=int(record)).first()
        if found is None:
            raise Http404
        return found

    @extend_schema(responses=RecordSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def history(self, request: Request, pk: str) -> Response:
        """The newest rows of its history, newest first; those of a deleted entity too."""
        return Response([record_row(record) for record in self._records(pk)[:MOST_RECORDS]])

    @extend_schema(responses=WholeRecordSerializer)
    @action(detail=True, methods=["get"], url_path="history/(?P<record>[0-9]+)")
    def history_record(self, request: Request, pk: str, record: str) -> Response:
        """One row of its history: what it changed, field by field, and the entity as it was."""
        return Response(self._whole(self._record(pk, record)))

    def _whole(self, found: Any) -> dict[str, Any]:
        shown = set(self.resource.fields)
        changes = [
            {"field": change.field, "old": shown_value(change.old), "new": shown_value(change.new)}
            for change in found.differences()
            if change.field in shown
        ]
        values = {
            field.name: shown_value(getattr(found, field.attname))
            for field in found.tracked_fields
            if field.name in shown
        }
        return {**record_row(found), "changes": changes, "values": values}


class EntityViewSet(HistoryMixin, WriteViewSet):
    """Of entities: they can be brought back, and a deletion is told before it is done."""

    @extend_schema(request=RestoreSerializer, responses=WholeRecordSerializer)
    @action(detail=True, methods=["post"], url_path="history/(?P<record>[0-9]+)/restore")
    def restore(self, request: Request, pk: str, record: str) -> Response:
        """Bring it back to this row of its history, some fields of it, or (`rollback`) undo such a return."""
        asked = RestoreSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        found: Record = self._record(pk, record)
        given = asked.validated_data
        fields = given.get("fields")
        if fields is not None and (strange := sorted(set(fields) - set(self.resource.fields))):
            raise ValidationError({"fields": [f"{', '.join(strange)} cannot be restored"]})
        try:
            with transaction.atomic():
                back = found.restore(fields=fields, rollback=given["rollback"], _reason=given.get("reason"))
                if back is not None:
                    self._must_be_own(back)
        except ValueError as error:
            raise ValidationError({"fields": [str(error)]}) from None
        return Response(self._whole(self._records(pk).first()))

    @extend_schema(responses=DeletionSerializer)
    @action(detail=True, methods=["get"])
    def deletion(self, request: Request, pk: str) -> Response:
        """What a true deletion would take with it, unlink or be stopped by; nothing is touched."""
        found = collect_deleted_data(self.get_object())
        lists = {"deleted": found.deleted, "unlinked": found.unlinked, "blocked": found.blocked}
        return Response({name: [self._taken(taken) for taken in rows] for name, rows in lists.items()})

    def _taken(self, taken: Taken) -> dict[str, Any]:
        models_ = {resource.label: model for model, resource in self.resources.items()}
        model = models_.get(taken.model)
        visible = model is not None and may(self.request.user, "view", model) and self.sight.is_whole(self.request)
        return {"model": taken.model, "count": taken.count, "names": list(taken.names) if visible else []}
