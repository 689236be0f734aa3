"""The commands that record a line: capture, anonymise."""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from pathlib import Path
from time import monotonic
from typing import IO, Any, Final, NoReturn

import click

from bridge.anonymise import anonymise as without_numbers
from bridge.cli import EXIT_FAILED, MODES, tell
from bridge.source import Source, SourceEnded, SourceError, open_source
from bridge.tic.catalogue import Mode

MAX_FILE: Final = 256 * 1024 * 1024  # bytes to anonymise at once: three days of a line that never rests
_IN_MEMORY: Final = 8 * 1024 * 1024


@click.command()
@click.argument("out", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--source", "spec", help="Port, URL or sim:...; default: the first meter of the configuration.")
@click.option("--mode", type=MODES, help="A serial port's; else it is found by listening.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after this time, not at Ctrl-C.")
@click.option("--anonymise", "anonymous", is_flag=True, help="As the command anonymise; OUT is written at the end.")
@click.pass_obj
def capture(config: Any, out: Path, spec: str | None, mode: str | None, seconds: float | None, anonymous: bool) -> None:
    """Record what arrives, byte for byte, into the file OUT."""
    wanted = Mode(mode) if mode else None
    if spec is None:
        meter = config().meters[0]
        spec, wanted = meter.source, wanted or meter.tic_mode
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    with _created(out) as file:
        if anonymous:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as unnamed:  # gone with us, whatever happens
                size, broke = _record(spec, wanted, seconds, unnamed, stopping, MAX_FILE)
                unnamed.seek(0)
                said = _anonymise(unnamed.read(), file, random.SystemRandom())
        else:
            size, broke = _record(spec, wanted, seconds, file, stopping)
            said = ""
        if not size:
            _fail(str(broke or f"nothing arrived from {spec}: is it the right one, do the wires hold?"))
    click.echo(f"ticbridge: {size} bytes written to {out}{said}", err=True)
    if broke is not None:
        _fail(str(broke))


def _record(
    spec: str, mode: Mode | None, seconds: float | None, file: IO[bytes], stopping: threading.Event, limit: float = inf
) -> tuple[int, SourceError | None]:
    """Write what arrives until told to stop; the number of bytes, and what broke the source if anything did."""
    size = 0
    try:
        source = open_source(spec, mode, tell)
        try:
            for piece in _pieces(source, seconds, stopping):
                size += file.write(piece)
                if size >= limit:
                    break
        finally:
            source.close()
    except SourceError as error:
        return size, error
    return size, None


def _pieces(source: Source, seconds: float | None, stopping: threading.Event) -> Iterator[bytes]:
    """What arrives, for so many seconds from the first byte on."""
    until: float | None = None
    while not stopping.is_set() and (until is None or monotonic() < until):
        try:
            piece = source.read()
        except SourceEnded:
            return
        if piece:
            if until is None and seconds is not None:
                until = monotonic() + seconds
            yield piece


@click.command()
@click.argument("recorded", metavar="IN", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.argument("out", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--seed", type=click.IntRange(min=0), help="Make up the same numbers each time.")
def anonymise(recorded: Path, out: Path, seed: int | None) -> None:
    """Copy a recorded file without meter addresses and delivery points: made-up ones take their place."""
    rng = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311  the owner asked for the same ones
    try:
        data = _read(recorded)
    except OSError as error:
        _fail(f"{recorded} cannot be read ({error.strerror}): is the name right?")
    if len(data) > MAX_FILE:
        _fail(f"{recorded} has more than {MAX_FILE} bytes: cut it into smaller files")
    with _created(out) as file:
        said = _anonymise(data, file, rng)
    click.echo(f"ticbridge: {len(data)} bytes written to {out}{said}", err=True)


def _read(recorded: Path) -> bytes:
    if str(recorded) == "-":
        return sys.stdin.buffer.read(MAX_FILE + 1)
    with recorded.open("rb") as file:
        return file.read(MAX_FILE + 1)


def _anonymise(data: bytes, file: IO[bytes], rng: random.Random) -> str:
    done = without_numbers(data, rng)
    file.write(done.data)
    return f", {done.numbers} numbers replaced in {done.groups} groups"


@contextmanager
def _created(out: Path) -> Iterator[IO[bytes]]:
    """A new file, which goes again when the work failed; `-` is standard output. Nothing is ever overwritten."""
    if str(out) == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        file = out.open("xb")
    except FileExistsError:
        _fail(f"{out} exists: give another name")
    except OSError as error:
        _fail(f"{out} cannot be written ({error.strerror}): is the name right?")
    try:
        with file:
            yield file
    except BaseException:
        out.unlink()
        raise


def _fail(sentence: str) -> NoReturn:
    click.echo(f"ticbridge: {sentence}", err=True)
    sys.exit(EXIT_FAILED)
