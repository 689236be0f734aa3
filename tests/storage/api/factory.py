"""The tests that every model of an API gets. One that has no sample fails them: nothing is exposed untested."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection, models
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from storage.api.kinds import Kind, kind_of
from storage.api.resource import Resource
from storage.api.router import Api
from storage.entities.bases import CommonModel
from storage.entities.metadata import set_metadata

PAGE = {"count", "page_size", "page", "pages", "previous", "next", "first", "last", "options", "results"}


@dataclass(frozen=True)
class Sample:
    """Rows of one model, and what a client sends."""

    make: Callable[[], list[models.Model]]  # at least three rows
    new: Callable[[], dict[str, Any]] = dict  # a body for POST
    changed: Mapping[str, Any] = field(default_factory=dict)  # for PATCH: one field


def create_api_tests(api: Api, samples: Mapping[type[models.Model], Sample], root: str) -> type:
    """A class of tests, for pytest to collect: each of them for each model of the API."""

    @pytest.mark.django_db
    @pytest.mark.parametrize("model", list(api.resources), ids=lambda model: model.__name__)
    class Tests(ApiTests):
        pass

    Tests.api, Tests.samples, Tests.root = api, samples, root
    return Tests


class ApiTests:
    """Asks the real addresses and compares with the tables."""

    api: Api
    samples: Mapping[type[models.Model], Sample]
    root: str

    def resource(self, model: type[models.Model]) -> Resource:
        return self.api.resources[model]

    def sample(self, model: type[models.Model]) -> Sample:
        assert model in self.samples, f"{model.__name__} is exposed without a sample: add one"
        return self.samples[model]

    def rows(self, model: type[models.Model]) -> list[models.Model]:
        self.sample(model).make()
        rows = list(model._default_manager.order_by("pk"))
        assert len(rows) >= 3
        return rows

    def url(self, model: type[models.Model], row: models.Model | None = None) -> str:
        return f"{self.root}{self.resource(model).name}/{'' if row is None else f'{row.pk}/'}"

    def ask(self, client: APIClient, model: type[models.Model], **params: Any) -> Any:
        """The answer to a question about the list."""
        answer = client.get(self.url(model), params)
        assert answer.status_code == 200, answer.content
        assert set(answer.json()) == PAGE
        return answer.json()

    def key(self, model: type[models.Model]) -> str:
        return str(model._meta.pk.name)

    # --- reading ---------------------------------------------------------------------------------

    def test_list(self, owner: APIClient, model: type[models.Model]) -> None:
        rows = self.rows(model)
        page = self.ask(owner, model, page_size=2, order_by=self.key(model))
        pages = -(-len(rows) // 2)
        assert (page["count"], page["pages"], page["page"], page["previous"]) == (len(rows), pages, 1, None)
        keys, url = [], page["first"]
        while url:
            page = owner.get(url).json()
            keys += [row[self.key(model)] for row in page["results"]]
            url = page["next"]
        assert keys == [plain(row.pk) for row in rows]

    def test_detail(self, owner: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        found = owner.get(self.url(model, row)).json()
        assert set(found) == set(self.resource(model).fields)
        assert found[self.key(model)] == plain(row.pk)
        assert owner.get(f"{self.url(model)}999999999/").status_code == 404

    def test_queries_do_not_grow_with_rows(self, owner: APIClient, model: type[models.Model]) -> None:
        self.rows(model)
        self.ask(owner, model, page_size=1, meta=1, display=1)  # what is remembered is remembered now
        counts = []
        for size in (1, 3):
            with CaptureQueriesContext(
                connection,
            ) as asked:
                assert len(self.ask(owner, model, page_size=size, meta=1, display=1)["results"]) == size
            counts.append(len(asked))
        assert counts[0] == counts[1]

    def test_options(self, owner: APIClient, model: type[models.Model]) -> None:
        told = owner.options(self.url(model)).json()
        assert told["parses"] == ["application/json"]
        assert ("actions" in told) is not self.resource(model).read_only

    def test_order(self, owner: APIClient, model: type[models.Model]) -> None:
        rows = self.rows(model)
        page = self.ask(owner, model, order_by=f"-{self.key(model)}")
        assert [row[self.key(model)] for row in page["results"]] == [plain(row.pk) for row in reversed(rows)]

    def test_filter(self, owner: APIClient, model: type[models.Model]) -> None:
        row, *others = self.rows(model)
        key = self.key(model)
        assert [found[key] for found in self.ask(owner, model, **{key: row.pk})["results"]] == [plain(row.pk)]
        assert self.ask(owner, model, **{f"-{key}": row.pk})["count"] == len(others)
        assert self.ask(owner, model, filters=f"or({key}:{row.pk},not({key}:{row.pk}))")["count"] == len(others) + 1

    def test_fields(self, owner: APIClient, model: type[models.Model]) -> None:
        rows = self.rows(model)
        page = self.ask(owner, model, fields=f"{self.key(model)}:number", order_by=self.key(model))
        assert page["results"] == [{"number": plain(row.pk)} for row in rows]

    def test_meta(self, owner: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        if not issubclass(model, CommonModel):
            assert "metadata" not in self.ask(owner, model, meta=1)["results"][0]
            return
        set_metadata(row, "colour", {"of": "the panel"})
        page = self.ask(owner, model, meta=1, order_by=self.key(model))
        assert page["results"][0]["metadata"] == {"colour": {"of": "the panel"}}
        assert owner.get(self.url(model, row), {"meta": 1}).json()["metadata"] == {"colour": {"of": "the panel"}}

    def test_simple(self, owner: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        for name in self.resource(model).nested:
            column: Any = model._meta.get_field(name)
            key = plain(getattr(row, column.attname))
            assert owner.get(self.url(model, row)).json()[name][column.related_model._meta.pk.name] == key
            assert owner.get(self.url(model, row), {"simple": 1}).json()[name] == key
        first = self.ask(owner, model, simple=1)["results"][0]
        assert [name for name, value in first.items() if isinstance(value, dict) and name != "extra"] == []

    def test_silent(self, owner: APIClient, model: type[models.Model]) -> None:
        rows = self.rows(model)
        refused = owner.get(self.url(model), {"no_such_field": 1})
        assert (refused.status_code, list(refused.json())) == (400, ["no_such_field"])
        page = self.ask(owner, model, no_such_field=1, silent=1)
        assert (page["count"], list(page["options"]["ignored"])) == (len(rows), ["no_such_field"])

    def test_annotate(self, owner: APIClient, model: type[models.Model]) -> None:
        """By the first field of the model that a function takes."""
        rows = self.rows(model)
        name, function, python = self._annotated(model)
        page = self.ask(
            owner, model, annotate=f"{function}({name}):computed", fields="computed", order_by=self.key(model)
        )
        assert [row["computed"] for row in page["results"]] == [python(getattr(row, name)) for row in rows]

    def _annotated(self, model: type[models.Model]) -> tuple[str, str, Callable[[Any], Any]]:
        for name in self.resource(model).fields:
            column = self.resource(model).column(name)
            kind = None if column is None else kind_of(column)
            if kind is Kind.TEXT:
                return name, "upper", lambda text: None if text is None else text.upper()
            if kind is Kind.INTEGER:
                return name, "abs", lambda number: None if number is None else abs(number)
        raise AssertionError(f"{model.__name__} shows no text and no number")

    def test_aggregate(self, owner: APIClient, model: type[models.Model]) -> None:
        rows, key = self.rows(model), self.key(model)
        page = self.ask(owner, model, count=f"{key}:rows")
        assert page["results"] == [{"rows": len(rows)}]
        page = self.ask(owner, model, group_by=key, count=f"{key}:rows")
        assert page["results"] == [{key: plain(row.pk), "rows": 1} for row in rows]

    # --- writing ---------------------------------------------------------------------------------

    def test_post(self, owner: APIClient, model: type[models.Model]) -> None:
        count = len(self.rows(model))
        if self.resource(model).read_only:
            assert owner.post(self.url(model), {}).status_code == 405
            return
        body = self.sample(model).new()
        made = owner.post(self.url(model), body)
        assert made.status_code == 201, made.content
        assert model._default_manager.count() == count + 1
        assert owner.get(f"{self.url(model)}{made.json()[self.key(model)]}/").json() == made.json()
        assert owner.post(self.url(model), {}).status_code == 400

    def test_put(self, owner: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        shown = owner.get(self.url(model, row)).json()
        answer = owner.put(self.url(model, row), shown)
        if self.resource(model).read_only:
            assert answer.status_code == 405
            return
        assert answer.status_code == 200, answer.content
        changes = {"modification_date", "current_user"}  # what was read is taken back, whole
        assert {k: v for k, v in answer.json().items() if k not in changes} == {
            k: v for k, v in shown.items() if k not in changes
        }

    def test_patch(self, owner: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        changed = dict(self.sample(model).changed)
        answer = owner.patch(self.url(model, row), changed)
        if self.resource(model).read_only:
            assert answer.status_code == 405
            return
        assert answer.status_code == 200, answer.content
        assert changed
        assert {name: answer.json()[name] for name in changed} == changed
        stored = owner.get(f"{self.url(model)}{answer.json()[self.key(model)]}/").json()
        assert {name: stored[name] for name in changed} == changed

    def test_delete(self, owner: APIClient, model: type[models.Model]) -> None:
        made = self.rows(model)
        if self.resource(model).read_only:
            assert owner.delete(self.url(model, made[0])).status_code == 405
            return
        row = model._default_manager.get(pk=owner.post(self.url(model), self.sample(model).new()).json()["id"])
        answer = owner.delete(self.url(model, row) + ("?force=1" if hasattr(row, "end_date") else ""))
        assert answer.status_code == 204, answer.content
        assert owner.get(self.url(model, row)).status_code == 404

    # --- who may ---------------------------------------------------------------------------------

    def test_who_is_not_logged_in_is_told_so(self, nobody: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        for url in (self.url(model), self.url(model, row)):
            for method in ("get", "post", "put", "patch", "delete", "options"):
                assert getattr(nobody, method)(url).status_code == 401

    def test_a_viewer_reads_and_does_not_write(self, viewer: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        refused = 405 if self.resource(model).read_only else 403
        assert viewer.get(self.url(model)).status_code == viewer.get(self.url(model, row)).status_code == 200
        assert viewer.post(self.url(model), self.sample(model).new()).status_code in (refused, 403)
        for method in ("put", "patch", "delete"):
            assert getattr(viewer, method)(self.url(model, row), {}).status_code in (refused, 403)
        assert model._default_manager.filter(pk=row.pk).exists()

    def test_who_may_nothing_sees_nothing(self, stranger: APIClient, model: type[models.Model]) -> None:
        row = self.rows(model)[0]
        assert stranger.get(self.url(model)).status_code == stranger.get(self.url(model, row)).status_code == 403


def plain(key: Any) -> Any:
    """As JSON has a key."""
    return key if isinstance(key, int) else str(key)
