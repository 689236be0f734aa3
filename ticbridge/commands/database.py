"""The database of a new installation, made by our own commands in a process of its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import click

from ticbridge.commands.processes import ticbridge


def make_database(config: Path) -> str | None:
    """Bring it up to date; the path of the link that makes the first account, None when there is one."""
    command = ticbridge("manage", "first_link", "--migrate", config=config)
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  our own command
    if done.returncode:
        raise click.ClickException(done.stderr.strip().splitlines()[-1].removeprefix("Error: "))
    return done.stdout.strip() or None
