"""The commands backup and restore."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from storage.exchange.errors import ExchangeError
from storage.exchange.progress import progress
from storage.exchange.said import said
from storage.opening import open_django


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def backup(config: Any, file: Path) -> None:  # the launcher's loader
    """Copy the database into the new file FILE, while the store goes on writing.

    The copy is checked, readable by its owner alone, and its SHA-256 is printed and written to FILE.sha256.
    """
    config()
    open_django()
    from storage.exchange.backup import back_up, our_file  # noqa: PLC0415  Django first

    with said("the copy was not finished and is gone"):
        our_file()
        with progress("copied", 100) as advance:
            digest = back_up(file, lambda done, total: advance(done * 100 // max(total, 1)))
    click.echo(f"ticbridge: {file.stat().st_size} bytes written to {file}", err=True)
    click.echo(f"{digest}  {file}")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def restore(config: Any, file: Path) -> None:  # as above
    """Put the backup FILE in the database's place and bring it up to date.

    Refuses while store or web run. The present database is kept beside it, under a name that is printed.
    """
    config()
    open_django()
    from storage.exchange.backup import restore as put  # noqa: PLC0415  Django first
    from storage.occupancy import OccupiedError  # noqa: PLC0415

    with said("the database is what it was"):
        try:
            with progress("restored", 100) as advance:
                aside = put(file, datetime.now(UTC), lambda done, total: advance(done * 100 // max(total, 1)))
        except OccupiedError as error:
            raise ExchangeError(str(error)) from None
    kept = f"; the database of before is {aside}: delete it when all is well" if aside else ""
    click.echo(f"ticbridge: restored from {file}{kept}", err=True)
