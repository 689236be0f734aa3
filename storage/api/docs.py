"""The schema and the page that shows it, without anything from elsewhere: its script comes with the sidecar."""

from __future__ import annotations

from django.urls import URLPattern, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class DocsView(SpectacularSwaggerSplitView):
    """Swagger's page, in a form that needs no inline script or style."""

    template_name = "api/docs.html"


def docs_urls() -> list[URLPattern]:
    """`schema/` and `docs/`."""
    return [
        path("schema/", SpectacularAPIView.as_view(), name="schema"),
        path("docs/", DocsView.as_view(url_name="schema"), name="docs"),
    ]
