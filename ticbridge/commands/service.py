"""`ticbridge service`: the systemd units of this installation, written, enabled, started; and taken away again."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from ticbridge.commands.units import CAPTURE, PARTS, Place, ServiceError, here, program

_ROOT = click.option(
    "--root", type=click.Path(path_type=Path, file_okay=False), help="Another system's root: nothing is started."
)
_CAPTURE = click.option(
    "--capture", is_flag=True, help="Meter to database without a broker, in place of bridge and store."
)


def _may(arguments: str) -> None:
    if os.geteuid() != 0:
        raise click.ClickException(f"only root may change services: sudo {program()} service {arguments}")


def _place(root: Path | None) -> Place:
    return here() if root is None else Place(root.absolute())


@click.group()
def service() -> None:
    """The systemd units: bridge, store and web at each start of the machine."""


@service.command()
@_ROOT
@_CAPTURE
@click.option("--dry-run", is_flag=True, help="Print the units; write nothing.")
@click.pass_context
def install(context: click.Context, root: Path | None, capture: bool, dry_run: bool) -> None:
    """Write, enable and start the units; again after an upgrade. Settings and data stay as they are."""
    place = _place(root)
    parts = (CAPTURE, "ticbridge-web") if capture else PARTS
    if dry_run:
        for part in parts:
            click.echo(f"# {place.unit(part)}\n{place.text(part)}")
        return
    if root is None:
        _may("install" + (" --capture" if capture else ""))
    given = context.find_root().params.get("config")
    try:
        for line in place.install(parts, given):
            click.echo(line)
    except (ServiceError, OSError) as error:
        raise click.ClickException(str(error)) from None


@service.command()
@_ROOT
def uninstall(root: Path | None) -> None:
    """Stop and remove the units. Settings and data stay."""
    if root is None:
        _may("uninstall")
    place = _place(root)
    try:
        for line in place.uninstall():
            click.echo(line)
    except (ServiceError, OSError) as error:
        raise click.ClickException(str(error)) from None


@service.command()
@_ROOT
def status(root: Path | None) -> None:
    """What each service does now. Exit code 1 when one that is installed does not run."""
    place = _place(root)
    lines, is_fine = place.status()
    for line in lines:
        click.echo(line)
    sys.exit(0 if is_fine else 1)
