"""OpenAPI: valid, complete, and kept by what the API really answers; and the page that shows it needs nothing else."""

from __future__ import annotations

import html
import io
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle
from typing import Any, Final

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from rest_framework.test import APIClient
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from storage.resources import api
from tests.storage.api.samples import SAMPLES

pytestmark = pytest.mark.django_db

EXAMPLES: Final = int(os.environ.get("API_EXAMPLES", "2"))  # of each operation; `make fuzz-api` asks for more


def test_the_schema_is_valid_and_nothing_in_it_was_guessed() -> None:
    said = io.StringIO()
    call_command("spectacular", validate=True, fail_on_warn=True, stdout=said)
    assert said.getvalue().startswith("openapi: 3.")


def test_every_resource_is_in_it(viewer: APIClient) -> None:
    paths = viewer.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"}).json()["paths"]
    assert {f"/api/v1/{resource.name}/" for resource in api.resources.values()} <= set(paths)
    assert {"/api/v1/choices/", "/api/v1/uuid/{uuid}/"} <= set(paths)
    told = {parameter["name"] for parameter in paths["/api/v1/rollups/"]["get"]["parameters"]}
    assert {"filters", "group_by", "sum", "east", "page_size"} <= told


def test_schema_and_page_are_for_those_who_are_logged_in(nobody: APIClient) -> None:
    for path in ("/api/schema/", "/api/docs/", "/api/v1/"):
        assert nobody.get(path).status_code == 401


# --- what the API answers ------------------------------------------------------------------------


TOKEN: Final = "c" * 32


_CHECKS: Final = [
    not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance,
]  # fmt: skip


@contextmanager
def kept_connection() -> Iterator[None]:
    """The handler would close the test's own connection after a request; Django's test client does the same as this,
    and undoes it after each of its own requests.
    """
    both = (request_started, request_finished)
    for signal in both:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in both:
            signal.connect(close_old_connections)


def some_row(path: str) -> Any:
    """A row of the resource that an address is of."""
    models = {resource.name: model for model, resource in api.resources.items()}
    model = models.get(path.removeprefix("/api/v1/").partition("/")[0]) if "{id}" in path else None
    return None if model is None else model._default_manager.order_by("-pk").first()


def test_what_is_answered_is_what_the_schema_says(owner: APIClient) -> None:
    """Requests that the schema allows, of every operation: a status, a type and a content that it names."""
    for sample in SAMPLES.values():
        sample.make()
    raw = owner.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    schema = schemathesis.openapi.from_dict(raw)
    schema.app = get_wsgi_application()
    turns = cycle((True, False))  # of rows that are there, and keys as they come
    statuses: Counter[tuple[str, int]] = Counter()
    found: list[Any] = list(schema.get_all_operations())
    for operation in [result.ok() for result in found]:

        @settings(
            max_examples=EXAMPLES, derandomize=EXAMPLES < 100, deadline=None, database=None,
            phases=[Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy())
        def holds(case: Any) -> None:
            if next(turns) and (row := some_row(case.path)) is not None:
                case.path_parameters["id"] = row.pk
            case.cookies = {"sessionid": owner.cookies["sessionid"].value, "csrftoken": TOKEN}
            response = case.call_and_validate(headers={"X-CSRFToken": TOKEN}, checks=_CHECKS)
            statuses[case.method, response.status_code] += 1

        with kept_connection():
            holds()
    assert sum(statuses.values()) >= EXAMPLES * 50
    assert {("GET", 200), ("GET", 400), ("GET", 404), ("POST", 400), ("PATCH", 200), ("DELETE", 204)} <= set(statuses)


def test_the_page_needs_nothing_from_elsewhere_and_nothing_inline(owner: APIClient) -> None:
    page = owner.get("/api/docs/")
    text = page.content.decode()
    assert page.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "<style" not in text
    assert re.findall(r"<script(?! src=)|\son\w+=|style=", text) == []
    for address in re.findall(r'(?:src|href)="([^"]+)"', text):
        found = owner.get(html.unescape(address))
        assert (address[:1], found.status_code) == ("/", 200), address
    script = owner.get("/api/docs/?script=").content.decode()
    assert 'url: "/api/schema/"' in script.replace("\\u002D", "-")
