"""What fails in the toolbox that these features come from, each run here (docs/design/entities.md)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from storage.entities.metadata import Metadata
from tests.storage.entities.library.models import Author, Fee, Heavy, Light, Plain

TREE = Path(__file__).parents[3]
_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "simple_history", "storage.entities",
]  # fmt: skip


def test_it_is_imported_where_there_is_no_postgresql_driver() -> None:
    program = (
        "import sys; sys.modules.update(psycopg=None, psycopg2=None, pytz=None); "
        "import django; from django.conf import settings; "
        f"settings.configure(INSTALLED_APPS={_APPS!r}); django.setup(); import storage.entities.admin; "
        "print([name for name in sys.modules if name.startswith('django.contrib.postgres')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=TREE, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr


@pytest.mark.django_db
def test_a_changed_perishable_entity_is_saved() -> None:
    fee = Fee.objects.create(kind="adult", amount=1)
    fee.amount = 2
    fee.save()
    assert sorted(Fee.objects.values_list("amount", flat=True)) == [1, 2]


@pytest.mark.django_db
def test_code_restores_and_rolls_back() -> None:
    author = Author.objects.create(name="a")
    author.name = "b"
    author.save()
    author.history.last().restore()
    assert Author.objects.get().name == "a"
    author.history.first().restore(rollback=True)
    assert Author.objects.get().name == "b"


@pytest.mark.django_db
def test_an_object_that_is_created_changed_and_saved_has_both_in_history() -> None:
    author = Author(name="a")
    author.save()
    author.name = "b"
    author.save()
    assert list(author.history.order_by("history_id").values_list("history_type", "name")) == [("+", "a"), ("~", "b")]


@pytest.mark.django_db
def test_metadata_is_found_by_its_value() -> None:
    author = Author.objects.create(name="a")
    author.set_metadata("k", "text")
    assert [row.owner for row in Metadata.objects.search(value="text")] == [author]


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "statements"), [(Plain, 1), (Light, 1), (Heavy, 2)])
def test_a_creation_costs_one_statement_and_its_history_one_more(model: Any, statements: int) -> None:
    with CaptureQueriesContext(connection) as asked:
        for number in range(10):
            model.objects.create(title=str(number))
    assert len(asked) == 10 * statements


@pytest.mark.django_db
@pytest.mark.parametrize("model", [Plain, Light, Heavy])
def test_loading_costs_one_statement_and_keeps_no_copy_of_the_values(model: Any) -> None:
    for number in range(10):
        model.objects.create(title=str(number))
    with CaptureQueriesContext(connection) as asked:
        rows = list(model.objects.all())
    assert len(asked) == 1
    columns = {field.attname for field in model._meta.concrete_fields}
    assert {frozenset(vars(row)) for row in rows} == {frozenset({"_state", *columns})}
