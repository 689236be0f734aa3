"""How far long work is: a bar on a terminal, a line for each tenth in a log."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Advance = Callable[[int], None]  # to so many


@contextmanager
def progress(label: str, total: int) -> Iterator[Advance]:
    """Show how much of `total` is done, on standard error. SIGTERM ends the work as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if sys.stderr.isatty():
        with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
            yield lambda done: bar.update(done - bar.pos)
        return
    tenth = 0

    def advance(done: int) -> None:
        nonlocal tenth
        if total and done * 10 // total > tenth:
            tenth = done * 10 // total
            click.echo(f"ticbridge: {label} {min(tenth, 10) * 10} %", err=True)

    yield advance
