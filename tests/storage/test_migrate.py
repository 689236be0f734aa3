"""Who migrates, and who waits."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command

from storage.migrate import behind, migrate, wait_until_migrated


@pytest.mark.django_db
def test_models_and_migrations_agree() -> None:
    call_command("makemigrations", check=True, dry_run=True, stdout=StringIO())


@pytest.mark.django_db(transaction=True)
def test_the_store_brings_an_old_database_up_to_date_and_the_web_waits_for_that() -> None:
    call_command("migrate", "storage", "zero", verbosity=0)
    assert behind()
    assert not wait_until_migrated(sleep=lambda _: None, patience=0)
    pauses: list[float] = []

    def store_starts_meanwhile(seconds: float) -> None:
        pauses.append(seconds)
        migrate()

    assert wait_until_migrated(sleep=store_starts_meanwhile, patience=60)
    assert (pauses, behind()) == ([0.5], False)
    migrate()
    assert not behind()
