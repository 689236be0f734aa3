"""The command `discovery`: what Home Assistant is told, by hand."""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import Any, Final

import click

from bridge.announcer import Announcer
from bridge.cli import EXIT_FAILED, EXIT_UNAVAILABLE
from bridge.config import Settings
from bridge.mqtt import Link, Received
from bridge.topics import ONLINE, Message, Topics

_CONNECT: Final = 10.0  # seconds to reach the broker
_QUIET: Final = 1.0  # after which the broker has sent all that it retains
_LONGEST: Final = 60.0


@click.group()
def discovery() -> None:
    """Home Assistant discovery by hand."""


@discovery.command()
@click.pass_obj
def show(config: Any) -> None:  # the launcher's loader, which bridge does not know
    """Print what this bridge tells Home Assistant of itself and of the meters that it saw: JSON, no broker."""
    for message in _known(Announcer(config())):
        body = {"topic": message.topic, "payload": json.loads(message.payload)}
        click.echo(json.dumps(body, ensure_ascii=False, indent=1))


@discovery.command()
@click.pass_obj
def publish(config: Any) -> None:  # as above
    """Publish it now."""
    settings = config()
    messages = _known(Announcer(settings))
    _send(settings, messages)
    for message in messages:
        click.echo(f"published {message.topic}: {_entities(message.payload)} entities")


@discovery.command()
@click.argument("meters", nargs=-1, metavar="[METER]...")
@click.pass_obj
def remove(config: Any, meters: tuple[str, ...]) -> None:  # as above
    """Remove meters, or all and the bridge, from Home Assistant, and every topic retained for them.

    Home Assistant forgets an entity only while it is running. Its history stays.
    """
    settings = config()
    announcer, topics = Announcer(settings), Topics(settings.mqtt.base_topic)
    of_bridge = topics.bridge(settings.bridge.id, "")
    retained = _retained(settings, [*announcer.filters, f"{of_bridge}#"])
    _refuse_while_running(settings, meters, retained)
    told = {where: body for where, body in retained.items() if announcer.hear(where, body)}
    known = announcer.meters | {where.split("/")[-2].removeprefix("linky_") for where in told}
    if unknown := [meter for meter in meters if meter not in known]:
        _fail(f"{unknown[0]} was not announced by the bridge {settings.bridge.id}")
    chosen = set(meters) or {meter for meter in known if not meter.startswith("bridge_")}
    fields = _retained(settings, [topics.meter(meter, "#") for meter in sorted(chosen)]) if chosen else {}
    named = chosen if meters else known
    gone = {where: body for where, body in told.items() if where.split("/")[-2].removeprefix("linky_") in named}
    own = [] if meters else [where for where in retained if where.startswith(of_bridge)]
    _send(settings, [Message(where, "", qos=1) for where in (*gone, *fields, *own)])
    announcer.forget(chosen if meters else None)
    for where, body in gone.items():
        click.echo(f"removed {where}: {_entities(body)} entities")
    for meter in sorted(chosen):
        count = sum(topics.meter_of(where) == meter for where in fields)
        click.echo(f"cleared {topics.meter(meter, '#')}: {count} retained topics")
    if own:
        click.echo(f"cleared {of_bridge}#: {len(own)} retained topics")
    if not (gone or fields or own):
        click.echo("nothing was retained")


def _known(announcer: Announcer) -> list[Message]:
    messages = list(announcer.everything())
    if not announcer.meters:
        _fail("no meter was seen yet: `ticbridge bridge` announces it with its first frames")
    return messages


def _refuse_while_running(settings: Settings, meters: tuple[str, ...], retained: dict[str, bytes]) -> None:
    topics = Topics(settings.mqtt.base_topic)
    if retained.get(topics.bridge(settings.bridge.id, "status")) != ONLINE.encode():
        return
    info = json.loads(retained.get(topics.bridge(settings.bridge.id, "info"), b"{}"))
    served = {meter["meter"] for meter in info.get("meters", [])}
    if not meters or served & set(meters):
        _fail(f"the bridge {settings.bridge.id} is running and would announce them again: stop it first")


def _entities(body: str | bytes) -> int:
    return len(json.loads(body)["components"])


def _retained(settings: Settings, filters: Iterable[str]) -> dict[str, bytes]:
    """What the broker retains there."""
    found: dict[str, bytes] = {}
    heard = threading.Event()

    def hear(received: Received) -> None:
        if received.retain:
            found[received.topic] = received.payload
            heard.set()

    link = _connected(settings, hear, [(filter_, 1) for filter_ in filters])
    until = monotonic() + _LONGEST
    while heard.wait(_QUIET) and monotonic() < until:
        heard.clear()
    link.stop()
    return found


def _send(settings: Settings, messages: list[Message]) -> None:
    _connected(settings, lambda _: None).stop(messages)


def _connected(
    settings: Settings, hear: Callable[[Received], None], subscriptions: Sequence[tuple[str, int]] = ()
) -> Link:
    ready = threading.Event()
    link = Link(
        settings.mqtt,
        f"ticbridge-discovery-{uuid.uuid4().hex[:8]}",
        subscriptions=subscriptions,
        on_ready=ready.set,
        on_message=hear,
    )
    link.start()
    if not ready.wait(_CONNECT):
        link.stop()
        click.echo(f"ticbridge: the broker {link.where} did not answer within {_CONNECT:g} s", err=True)
        sys.exit(EXIT_UNAVAILABLE)
    return link


def _fail(sentence: str) -> None:
    click.echo(f"ticbridge: {sentence}", err=True)
    sys.exit(EXIT_FAILED)
