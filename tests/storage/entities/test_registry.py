"""Entities by uuid."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from storage.entities.registry import Found, entity_models, find_by_uuid
from tests.storage.entities.library.models import Author, Book, Fee, Light

pytestmark = pytest.mark.django_db


def made() -> list[Any]:
    author = Author.objects.create(name="Zola")
    return [author, Book.objects.create(title="a", author=author), Fee.objects.create(kind="adult", amount=1)]


def test_each_uuid_leads_to_its_entity_and_model() -> None:
    for entity in made():
        assert find_by_uuid(entity.uuid) == Found(type(entity), entity, is_deleted=False)
        assert find_by_uuid(str(entity.uuid)) == Found(type(entity), entity, is_deleted=False)


def test_an_unknown_or_misspelt_uuid_leads_nowhere() -> None:
    made()
    assert (find_by_uuid(uuid4()), find_by_uuid("no uuid")) == (None, None)


def test_a_deleted_entity_is_found_in_history() -> None:
    author, *_ = made()
    author.name = "Emile"
    author.save()
    uuid = author.uuid
    author.delete()
    found = find_by_uuid(uuid)
    assert found is not None
    assert (found.model, found.is_deleted, str(found.entity)) == (Author, True, "Emile")


def test_each_version_of_a_perishable_entity_is_found_by_its_own() -> None:
    old = Fee.objects.create(kind="adult", amount=1)
    new = old.revise(amount=2)
    assert [find_by_uuid(version.uuid).entity.pk for version in (old, new)] == [old.pk, new.pk]  # type: ignore[union-attr]


def test_a_light_model_is_not_in_the_registry() -> None:
    light = Light.objects.create(title="a")
    assert find_by_uuid(light.uuid) is None
    names = {model._meta.label for model in entity_models()}
    assert {"library.Author", "library.Book", "library.Fee"} <= names
    assert not {"library.Light", "library.HistoricalAuthor", "entities.Metadata"} & names


def test_the_search_costs_a_statement_for_each_model_at_most_twice(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(2 * len(entity_models())):
        assert find_by_uuid(uuid4()) is None
