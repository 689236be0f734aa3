"""The views of one resource: its list, which takes questions, its rows, and their past."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models, transaction
from django.http import Http404
from django.utils import timezone
from rest_framework import mixins, viewsets
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from storage.api.access import may
from storage.api.answering import answer
from storage.api.envelope import Envelope
from storage.api.kinds import boolean
from storage.api.question import Question, understand
from storage.api.resource import Resource
from storage.api.scope import Resources, Scope
from storage.api.serializers import Shown
from storage.api.sight import Sight
from storage.entities.bases import CommonModel
from storage.entities.metadata import notes_of
from storage.entities.perishable import PerishableEntity


class ReadViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Any]):
    """Lists and rows. `create_api` makes a class for each resource."""

    resource: ClassVar[Resource]
    resources: ClassVar[Resources]
    sight: ClassVar[Sight]
    pagination_class = Envelope

    def get_queryset(self) -> models.QuerySet[Any]:
        """The resource's rows that are seen, and in the same query what is nested in them."""
        rows = self.seen(self.resource.rows())
        if self.resource.nested and not self._switch("simple"):
            rows = rows.select_related(*self.resource.nested)
        return rows.prefetch_related(*self.resource.prefetch) if self.resource.prefetch else rows

    def seen(self, rows: models.QuerySet[Any]) -> models.QuerySet[Any]:
        """Of these rows, those that whoever asks may see."""
        is_described = getattr(self, "swagger_fake_view", False)  # for OpenAPI: nobody asks
        return rows if is_described else self.sight.rows(self.request, rows)

    def list(self, request: Request) -> Response:
        """The rows that the question asks for, page by page."""
        scope = Scope(self.resource, self.resources, lambda model: may(request.user, "view", model))
        question = understand([(n, t) for n, texts in request.query_params.lists() for t in texts], scope)
        found = answer(question, self.get_queryset(), timezone.now())
        results = found.rows if question.keys else self._shown(question, found.rows)
        return Response(Envelope().page(request, question, found, results))

    def _shown(self, question: Question, rows: Any) -> Any:
        switches = question.switches
        notes = notes_of(rows) if switches["meta"] and issubclass(self.resource.model, CommonModel) else None
        shown = Shown(switches["simple"], switches["meta"], switches["display"], notes=notes, may_view=self._may_view)
        serializer = self.get_serializer(rows, many=True, context={**self.get_serializer_context(), "shown": shown})
        return serializer.data

    def get_serializer_context(self) -> dict[str, Any]:
        """With how rows are shown."""
        shown = Shown(
            self._switch("simple"),
            self._switch("meta"),
            self._switch("display"),
            self._switch("correct"),
            may_view=self._may_view,
        )
        return {**super().get_serializer_context(), "shown": shown}

    def _may_view(self, model: type[models.Model]) -> bool:
        return may(self.request.user, "view", model)

    def get_object(self) -> Any:
        """The row; a key that no column can hold is no row's."""
        try:
            return super().get_object()
        except OverflowError:
            raise Http404 from None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what the address of a row does not know, and writing what belongs to others, too."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS and not self.sight.may_write(request, self.resource.model):
            raise PermissionDenied
        if self.action is not None and self.action != "list":
            for name in request.query_params:
                if name not in self._known():
                    raise ValidationError({name: [f"{name!r} is not asked here: expected {', '.join(self._known())}"]})
                if name != "format":  # the renderer's
                    self._switch(name)

    def _known(self) -> tuple[str, ...]:
        own = ("correct", "force") if issubclass(self.resource.model, PerishableEntity) else ()
        return ("simple", "meta", "display", *own, "format")

    def _switch(self, name: str) -> bool:
        if self.action == "list" or not hasattr(self.request, "query_params"):
            return False
        try:
            return boolean(self.request.query_params.get(name, "0"))
        except ValueError as error:
            raise ValidationError({name: [str(error)]}) from None


class WriteViewSet(mixins.CreateModelMixin, mixins.UpdateModelMixin, mixins.DestroyModelMixin, ReadViewSet):
    """And they are written, each change in one transaction."""

    def perform_create(self, serializer: Any) -> None:
        """Save it, whole or not at all."""
        with transaction.atomic():
            self._must_be_own(serializer.save())

    def perform_update(self, serializer: Any) -> None:
        """The same; it must be one's own before and after."""
        self._must_be_own(serializer.instance)
        with transaction.atomic():
            self._must_be_own(serializer.save())

    def perform_destroy(self, instance: Any) -> None:
        """Delete it; a perishable entity is closed, and deleted in truth with `force`."""
        self._must_be_own(instance)
        with transaction.atomic():
            if isinstance(instance, CommonModel):
                instance.delete(force=self._switch("force"))
            else:
                instance.delete()

    def _must_be_own(self, row: models.Model) -> None:
        if not self.sight.may_write_row(self.request, row):
            raise PermissionDenied
