"""A small API on Django's REST framework, for tokens to open."""

from __future__ import annotations

from typing import Any

from django.urls import path
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import APIView

from storage.tokens.models import Scope
from storage.urls import urlpatterns as ours
from tests.storage.entities.library.models import Author


class Authors(APIView):
    """Reads and makes authors."""

    queryset = Author.objects.none()  # whose permissions count
    renderer_classes = (JSONRenderer,)

    def get(self, request: Any) -> Response:  # the REST framework's request
        return Response([author.name for author in Author.objects.order_by("name")])

    def post(self, request: Any) -> Response:  # as above
        return Response({"id": Author.objects.create(name="Jane").pk}, 201)

    def put(self, request: Any) -> Response:  # as above
        return Response({"id": Author.objects.create(name=request.data["name"]).pk}, 201)


class Now(Authors):
    """What is live."""

    read_scope = Scope.LIVE


urlpatterns = [
    *ours,
    path("api/authors/", Authors.as_view(), name="authors"),
    path("api/now/", Now.as_view(), name="api-now"),
]
