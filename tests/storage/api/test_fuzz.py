"""Whatever the query string is, the answer is 200 or 400: never an error of ours, never a secret."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from rest_framework.test import APIClient

from storage.api.functions import AGGREGATES, FUNCTIONS
from storage.api.kinds import LOOKUPS
from storage.api.resource import PARAMETERS
from storage.resources import api
from tests.storage.api.samples import SAMPLES

pytestmark = pytest.mark.django_db

_CALM: Final = settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
_COLUMNS: Final = sorted({name for resource in api.resources.values() for name in resource.fields})
_WORDS: Final = st.sampled_from([*_COLUMNS, "meter.name", "offer__code", "epoch.id", "password", "pk", "a"])
_LOOKUP: Final = st.sampled_from(["", *sorted({f"__{lookup}" for lookups in LOOKUPS.values() for lookup in lookups})])
_VALUE: Final = st.one_of(
    st.integers().map(str), st.floats().map(str), st.decimals().map(str), st.datetimes().map(str), st.dates().map(str),
    st.times().map(str), st.uuids().map(str), st.text(max_size=12), _WORDS.map("[{}]".format),
    st.sampled_from(["1,2", "", "0", "-0", "1e400", "9" * 25, "0001-01-01", "9999-12-31T23:59:59-12:00", "%", "\\"]),
)  # fmt: skip
_TERM: Final = st.recursive(
    _WORDS | st.sampled_from(["1", '"x"', "text", "integer", "number", "date", "9"]),
    lambda inner: st.builds(
        lambda function, arguments: f"{function}({','.join(arguments)})",
        st.sampled_from([*FUNCTIONS, "distinct"]),
        st.lists(inner, min_size=1, max_size=2),
    ),
    max_leaves=4,
)
_TERMS: Final = st.lists(
    st.builds(
        lambda sign, term, end, alias: f"{sign}{term}{end}{alias}",
        st.sampled_from(["", "", "-"]), _TERM, st.sampled_from(["", "", "<", ">"]), st.sampled_from(["", ":a", ":b"]),
    ),
    min_size=1, max_size=3,
).map(",".join)  # fmt: skip
_CONDITION: Final = st.builds(lambda name, lookup, value: f"{name}{lookup}:{value}", _WORDS, _LOOKUP, _VALUE)
_FILTERS: Final = st.recursive(
    _CONDITION,
    lambda inner: st.builds(
        lambda word, parts: f"{word}({','.join(parts)})",
        st.sampled_from(["and", "or", "not"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)
_LISTED: Final = st.sampled_from(["fields", "annotate", "distinct", "group_by", "order_by", *AGGREGATES])
_PAIR: Final = st.one_of(
    st.tuples(st.builds("".join, st.tuples(st.sampled_from(["", "-"]), _WORDS, _LOOKUP)), _VALUE),
    st.tuples(_LISTED, _TERMS),
    st.tuples(st.just("filters"), _FILTERS),
    st.tuples(st.sampled_from(PARAMETERS), _VALUE),
    st.tuples(st.text(max_size=8), st.text(max_size=8)),
)
_NAMES: Final = st.sampled_from(sorted(resource.name for resource in api.resources.values()))


@pytest.fixture
def full(owner: APIClient) -> APIClient:
    """Somebody who may see everything, and rows in each table."""
    for sample in SAMPLES.values():
        sample.make()
    return owner


@_CALM
@given(_NAMES, st.lists(_PAIR, max_size=4), st.booleans())
@example("meters", [("format", "0")], False)
@example("epochs", [("annotate", "abs(handled):a"), ("a__gte", "1")], False)
@example("rollups", [("start__gte", "9999-12-31T23:59:59-12:00")], False)
@example("meters", [("order_by", "creation_date"), ("distinct", "1"), ("fields", "name,creation_date")], False)
def test_questions_of_the_language(full: APIClient, name: str, pairs: list[tuple[str, str]], is_silent: bool) -> None:
    text = urlencode([*pairs, *([("silent", "1")] if is_silent else [])], errors="replace")
    answer = full.get(f"/api/v1/{name}/?{text}")
    assert answer.status_code in (200, 400), text
    assert b"pbkdf2" not in answer.content


@_CALM
@given(_NAMES, st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_any_query_string(full: APIClient, name: str, text: str) -> None:
    answer = full.get(f"/api/v1/{name}/", QUERY_STRING=text.encode("utf-8", "replace").decode("latin-1"))
    assert answer.status_code in (200, 400), text


@_CALM
@given(_NAMES, st.sampled_from(["post", "put", "patch"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=5), inner, max_size=5),
    max_leaves=12,
))  # fmt: skip
def test_any_body(full: APIClient, name: str, method: str, body: Any) -> None:
    import json  # noqa: PLC0415  only here

    url = f"/api/v1/{name}/" if method == "post" else f"/api/v1/{name}/1/"
    answer = getattr(full, method)(url, json.dumps(body), content_type="application/json")
    assert answer.status_code in (200, 201, 400, 404, 405), body
