"""`migrate`, with our executor."""

from __future__ import annotations

from django.core.management.commands import migrate

from storage.executor import Executor

# The command leaves no other place to say it.
migrate.MigrationExecutor = Executor  # type: ignore[attr-defined]


class Command(migrate.Command):
    """Django's own."""
