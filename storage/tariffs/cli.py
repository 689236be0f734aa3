"""The command `prices`, of `ticbridge import`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from storage.opening import open_django


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@click.pass_obj
def prices(config: Any, file: Path, dry_run: bool) -> None:  # the launcher's loader
    """A price list of the regulator (CRE, data.gouv.fr): Base, HP/HC or Tempo. Prices that you changed stay yours."""
    config()
    open_django()
    from storage.tariffs.importing import import_prices  # noqa: PLC0415  Django first
    from storage.tariffs.regulator import RegulatorError  # noqa: PLC0415

    try:
        imported = import_prices(file, dry_run=dry_run)
    except (RegulatorError, OSError) as error:
        raise click.ClickException(f"{file}: {error}") from None
    for line in imported.lines():
        click.echo(line)
