"""How a command opens the database: Django on our settings, and a place among those who work on it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import click

EXIT_UNAVAILABLE: Final = 69


def open_django(settings: str = "storage.settings") -> None:
    """Open Django on the settings that the launcher loaded."""
    os.environ["DJANGO_SETTINGS_MODULE"] = settings
    import django  # noqa: PLC0415  `--help` opens nothing

    django.setup()


@contextmanager
def at_work() -> Iterator[None]:
    """Say that this process works on the database; end when it is being restored: the service manager tries again."""
    from storage.occupancy import OccupiedError, occupied  # noqa: PLC0415  Django first

    with ExitStack() as stack:
        try:
            stack.enter_context(occupied())
        except OccupiedError as error:
            click.echo(f"ticbridge: {error}", err=True)
            sys.exit(EXIT_UNAVAILABLE)
        except OSError as error:
            raise click.ClickException(not_opened(error)) from None
        yield


def not_opened(error: Exception) -> str:
    """Why the database cannot be used, and what to look at."""
    reason = " ".join(str(error).split())
    return f"the database cannot be used ({reason}): is storage.database right, is it up to date?"
