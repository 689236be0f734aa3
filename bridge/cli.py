"""The bridge's own commands: bridge, decode, simulate, labels."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

import click

from bridge import printout
from bridge.detect import Cause, Verdict
from bridge.guard import Checked, Moment
from bridge.line import Line
from bridge.outlets import Outlet, PseudoTerminal, StandardOutput, TcpServer, frames, send
from bridge.simulated.contract import Contract
from bridge.simulated.plan import OPTIONS, Plan, read_clock
from bridge.source import SourceEnded, SourceError, open_source
from bridge.tic.catalogue import BY_SLUG, FIELDS, Mode

EXIT_FAILED: Final = 1
EXIT_UNAVAILABLE: Final = 69
EXIT_CONFIG: Final = 78

MODES = click.Choice([mode.value for mode in Mode])
_CONTRACTS = click.Choice([contract.value for contract in Contract])


@click.command()
@click.pass_obj
def bridge(config: Any) -> None:  # the launcher's loader, which bridge does not know
    """Read the meters and publish to MQTT, until stopped."""
    from bridge.daemon import Daemon  # noqa: PLC0415  paho is not needed by the other commands

    sys.exit(Daemon(config(), on_stop=lambda line: click.echo(line, err=True)).run())


@click.command()
@click.argument("source", default="-")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per frame.")
@click.option("--count", type=click.IntRange(min=1), help="Stop after this many frames.")
@click.option("--follow", is_flag=True, help="Go on when the source breaks, until Ctrl-C.")
@click.option("--mode", type=MODES, help="A serial port's; else it is found by listening.")
@click.option("--no-guard", is_flag=True, help="The decoder alone, without what needs the memory of earlier frames.")
def decode(source: str, as_json: bool, count: int | None, follow: bool, mode: str | None, no_guard: bool) -> None:
    """Decode frames of a file, a port, a URL or standard input; refused groups are shown with the reason."""
    show = printout.as_json if as_json else printout.as_text
    frames = groups = valid = 0
    try:
        for number, frame in enumerate(_frames(source, Mode(mode) if mode else None, follow, not no_guard), start=1):
            click.echo(show(number, frame))
            frames = number
            groups += len(frame.decoded.refused)
            valid += len(list(frame.decoded.reading.values())) if frame.decoded.reading else 0
            if number == count:
                break
    except SourceError as error:
        click.echo(f"ticbridge: {error}", err=True)
        sys.exit(EXIT_FAILED)
    except KeyboardInterrupt:
        pass
    if not valid:
        click.echo(f"ticbridge: no valid group in {source}: {frames} frames seen, {groups} groups refused", err=True)
        sys.exit(EXIT_FAILED)


def _frames(spec: str, mode: Mode | None, follow: bool, guarded: bool) -> Iterator[Checked]:
    while True:
        line = Line(mode, guarded=guarded)
        try:
            source = open_source(spec, mode, tell)
            try:
                while True:
                    yield from line.feed(source.read(), Moment(datetime.now(UTC), monotonic()))
            except SourceEnded:
                yield from line.flush()
                return
            finally:
                source.close()
        except SourceError:
            if not follow:
                raise
            time.sleep(1)


def tell(verdict: Verdict, name: str) -> None:
    """Say what is wrong with a line."""
    if verdict.cause is not Cause.PROVEN:
        click.echo(f"ticbridge: {verdict.sentence(name)}", err=True)


def _clock(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    try:
        return read_clock(text or "")
    except ValueError:
        raise click.BadParameter(f"{text!r} will not do; expected {OPTIONS['start'].expected}") from None


@click.command()
@click.option("--mode", type=MODES, default=Mode.STANDARD.value, show_default=True)
@click.option("--phases", type=click.Choice(["1", "3"]), default="1", show_default=True)
@click.option("--contract", type=_CONTRACTS, default=Contract.TEMPO.value, show_default=True)
@click.option("--producer", is_flag=True, help="With solar panels.")
@click.option("--overload", is_flag=True, help="Exceed the subscribed power now and then.")
@click.option("--degraded", is_flag=True, help="A meter that lost its clock.")
@click.option("--start", metavar="YYYY-MM-DDTHH:MM", callback=_clock, help="What its clock shows at first.")
@click.option("--speed", type=click.FloatRange(min=0.01, max=100_000), default=1.0, show_default=True)
@click.option("--corrupt", type=click.FloatRange(0, 1), default=0.0, help="Share of frames to damage.")
@click.option("--seed", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--frames", "limit", type=click.IntRange(min=1), help="Stop after this many frames.")
@click.option("--tcp", type=click.IntRange(1, 65535), help="Serve on this port of the loopback address.")
@click.option("--pty", is_flag=True, help="On a pseudo-terminal, whose name is printed first.")
@click.option("--stdout", is_flag=True, help="To standard output (the default), without pauses when it is a file.")
def simulate(
    mode: str, phases: str, contract: str, speed: float, limit: int | None, tcp: int | None, pty: bool, stdout: bool,
    **rest: Any,  # the fields of a plan that need no conversion
) -> None:  # fmt: skip
    """A meter that does not exist. Stops at a frame's end; prints how many frames it sent."""
    if sum((tcp is not None, pty, stdout)) > 1:
        raise click.UsageError("--tcp, --pty and --stdout exclude each other")
    plan = Plan(Contract(contract), Mode(mode), int(phases), **rest)
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    try:
        outlet = _outlet(tcp, pty, stopping)
    except OSError as error:
        raise click.ClickException(f"port {tcp} cannot be served ({error.strerror}): give another --tcp") from None
    sent = send(outlet, frames(plan, limit), speed, stopping)
    click.echo(json.dumps({"simulated": sent}), err=True)


def _outlet(tcp: int | None, pty: bool, stopping: threading.Event) -> Outlet:
    if pty:
        terminal = PseudoTerminal()
        click.echo(terminal.name)
        return terminal
    return StandardOutput() if tcp is None else TcpServer(tcp, stopping)


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.option("--markdown", is_flag=True)
def labels(as_json: bool, markdown: bool) -> None:
    """The catalogue: every label of both modes, and every derived value."""
    if as_json:
        rows = [
            {
                "label": row.label, "mode": row.mode.value if row.mode else None, "slug": row.slug,
                "canonical": row.canonical, "quantity": row.quantity.value, "unit": row.unit or None,
                "digits": row.digits or None, "dated": row.dated, "derived": row.derived, "fr": row.fr, "en": row.en,
            }
            for row in FIELDS
        ]  # fmt: skip
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    elif markdown:
        click.echo(markdown_table())
    else:
        for row in FIELDS:
            click.echo(f"{row.label or '(derived)':10} {row.slug:20} {row.unit:5} {row.fr}")


def markdown_table() -> str:
    """The catalogue as the tables of `docs/reference/labels.md`."""
    parts = []
    for title, mode in (
        ("Mode standard", Mode.STANDARD),
        ("Mode historique", Mode.HISTORIQUE),
        ("Derived", None),
    ):
        rows = [row for row in FIELDS if row.mode is mode]
        lines = [
            f"### {title}",
            "",
            "| label | topic | says | unit | characters | remark |",
            "|---|---|---|---|---|---|",
        ]
        lines += [
            f"| {row.label or '(derived)'} | `{row.slug}` | {row.fr} / {row.en} | {row.unit} | {row.digits or ''} "
            f"| {_remark(row.slug)} |"
            for row in rows
        ]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _remark(slug: str) -> str:
    row = BY_SLUG[slug]
    said = {
        "dated": row.dated, "personal": row.personal, "only while it holds": row.transient,
        "three phases": bool(row.phase), "producers": row.producer,
    }  # fmt: skip
    words = [word for word, holds in said.items() if holds]
    if row.same_as:
        words.append(f"same as `{row.same_as}`")
    if row.words:
        words.append(", ".join(dict.fromkeys(word for word in row.words.values() if word)))
    return "; ".join(words)
