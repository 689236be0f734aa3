"""The store's own commands: store, web, manage."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from bridge.topics import is_level
from storage.opening import EXIT_UNAVAILABLE, at_work, not_opened, open_django

if TYPE_CHECKING:
    from storage.webhooks.courier import Courier


def _group(_context: click.Context, _option: click.Parameter, text: str | None) -> str | None:
    if text is not None and not is_level(text):
        raise click.BadParameter(f"{text!r} will not do; expected letters, digits, - and _ only, at most 64")
    return text


@click.command()
@click.option("--no-migrate", is_flag=True, help="Leave the database's schema alone (fleets migrate by hand).")
@click.option("--share", metavar="GROUP", callback=_group, help="One of several workers of this database (MQTT 5).")
@click.option("--observer", is_flag=True, help="Store and acknowledge nothing: another store does.")
@click.pass_obj
def store(config: Any, no_migrate: bool, share: str | None, observer: bool) -> None:  # the launcher's loader
    """Store the readings from MQTT, until stopped."""
    settings = config()
    open_django()
    from django.db import DatabaseError  # noqa: PLC0415

    from storage.alerts.service import alerting  # noqa: PLC0415
    from storage.alerts.watching import Watcher  # noqa: PLC0415
    from storage.migrate import migrate  # noqa: PLC0415
    from storage.subscriber import Subscriber  # noqa: PLC0415
    from storage.worker import Worker  # noqa: PLC0415

    with at_work():
        try:
            if not no_migrate:
                migrate()
            subscriber = Subscriber(settings, share=share, observer=observer, on_stored=Watcher().take)
        except (DatabaseError, OSError) as error:
            raise click.ClickException(not_opened(error)) from None
        gc.freeze()  # what start-up made stays: looking at it again and again takes a tenth of the processor time
        worker = Worker(settings.storage, is_behind=subscriber.is_behind)
        worker.start()
        courier = _courier() if settings.webhooks.enabled else None
        with alerting(settings, None if observer else subscriber.publish):
            code = subscriber.run(on_stop=lambda line: click.echo(line, err=True), pulses=[worker.pulse])
            worker.stop_soon()
        if courier is not None:
            courier.stop()
        worker.stop()
        sys.exit(code)


def _courier() -> Courier:
    """What sends webhooks, at work; its HTTP library takes 20 MB, which who has none saves."""
    from storage.webhooks.courier import Courier  # noqa: PLC0415

    courier = Courier()
    courier.start()
    return courier


@click.command()
@click.option("--wait", type=click.FloatRange(0, 600), default=60.0, help="Seconds to wait for the database.")
@click.pass_obj
def web(config: Any, wait: float) -> None:  # as above
    """Serve the page and the admin, until stopped."""
    settings = config()
    open_django("storage.web.settings")
    from storage.asgi import build  # noqa: PLC0415
    from storage.database import refusal  # noqa: PLC0415
    from storage.migrate import wait_until_migrated  # noqa: PLC0415
    from storage.web.server import serve  # noqa: PLC0415

    with at_work():
        if not wait_until_migrated(patience=wait):
            reason = refusal()
            state = f"cannot be opened ({reason})" if reason else "is not up to date"
            click.echo(f"ticbridge: the database {state} after {wait:g} s: does `ticbridge store` run?", err=True)
            sys.exit(EXIT_UNAVAILABLE)
        sys.exit(serve(settings, build()))


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def manage(config: Any, arguments: tuple[str, ...]) -> None:  # as above
    """Django's own commands."""
    config()
    os.environ["DJANGO_SETTINGS_MODULE"] = "storage.settings"
    from django.core.management import execute_from_command_line  # noqa: PLC0415
    from django.db import OperationalError  # noqa: PLC0415

    try:
        execute_from_command_line(["ticbridge manage", *(arguments or ("help",))])
    except OperationalError as error:
        raise click.ClickException(not_opened(error)) from None
