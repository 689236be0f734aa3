"""How a command of this room ends when it cannot do what it was asked: one sentence and exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from storage.exchange.errors import ExchangeError

EXIT_FAILED = 1


@contextmanager
def said(stopped: str) -> Iterator[None]:
    """Say what went wrong; `stopped` is what a stop by the owner leaves behind."""
    from django.db import DatabaseError  # noqa: PLC0415  `--help` opens nothing

    try:
        yield
    except ExchangeError as error:
        click.echo(f"ticbridge: {error}", err=True)
        sys.exit(EXIT_FAILED)
    except DatabaseError as error:
        click.echo(f"ticbridge: the database cannot be used ({str(error).strip()})", err=True)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        click.echo(f"\nticbridge: stopped; {stopped}", err=True)
        sys.exit(EXIT_FAILED)
