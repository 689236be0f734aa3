"""docs/reference/api.md says what the API does: each of its examples is asked, each name is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest
from rest_framework.test import APIClient

from storage.api.answering import MOST_AT_ONCE, MOST_COUNTED
from storage.api.functions import AGGREGATES, FUNCTIONS
from storage.api.grammar import DEEPEST, LONGEST, MOST
from storage.api.kinds import LOOKUPS
from storage.api.question import LARGEST_PAGE, MOST_PARAMETERS, MOST_TEXT, PAGE_SIZE
from storage.api.resource import PARAMETERS
from storage.resources import api
from tests.storage.api.samples import SAMPLES, contracts, hours

PAGE: Final = (Path(__file__).parents[3] / "docs" / "reference" / "api.md").read_text()
EXAMPLES: Final = re.findall(r"```text\nGET (\S+?)\?(.*)\n(400 )?(.*)\n```", PAGE)


@pytest.mark.django_db
@pytest.mark.parametrize(("path", "query", "refused", "answer"), EXAMPLES, ids=[query for _, query, _, _ in EXAMPLES])
def test_each_example_is_answered_so(owner: APIClient, path: str, query: str, refused: str, answer: str) -> None:
    contracts()
    hours()
    found = owner.get(f"{path}?{query}")
    assert found.status_code == (400 if refused else 200), found.content
    assert (found.json() if refused else found.json()["results"]) == json.loads(answer)


def test_there_are_as_many_examples_as_questions() -> None:
    assert len(EXAMPLES) == PAGE.count("\nGET ") > 10


def test_every_word_of_the_language_is_told() -> None:
    words = {*FUNCTIONS, *AGGREGATES, *(lookup for lookups in LOOKUPS.values() for lookup in lookups)}
    words |= {*PARAMETERS, "distinct"} - {"format"}
    assert {word for word in words if not re.search(rf"\b{word}\b", PAGE)} == set()
    assert {resource.name for resource in api.resources.values() if f"/api/v1/{resource.name}/" not in PAGE} == set()


def test_every_limit_is_told() -> None:
    for limit in (
        PAGE_SIZE,
        LARGEST_PAGE,
        MOST_AT_ONCE,
        MOST_COUNTED,
        MOST_PARAMETERS,
        MOST_TEXT,
        LONGEST,
        MOST,
        DEEPEST,
    ):
        assert f"{limit:,}".replace(",", " ") in PAGE, limit


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["api.md", "api.fr.md"])
def test_each_address_of_the_how_to_is_answered(owner: APIClient, page: str) -> None:
    for sample in SAMPLES.values():
        sample.make()
    text = (Path(__file__).parents[3] / "docs" / "how-to" / page).read_text()
    addresses = re.findall(r"^/api/v1/\S+$", text, re.MULTILINE)
    assert len(addresses) == 8
    for address in addresses:
        found = owner.get(address)
        assert (found.status_code, found.json().get("results") is not None) == (200, True), (address, found.content)
