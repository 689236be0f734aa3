"""`ticbridge setup`: finds the meter and the broker, writes config.yaml, makes the database, offers the services."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click
import yaml

from bridge.config import PLACES, Settings, load, standing
from bridge.logs import set_up
from ticbridge.commands.configtext import changed
from ticbridge.commands.database import make_database
from ticbridge.commands.finding import Heard, listen, ports, try_broker
from ticbridge.commands.units import CONFIG, PARTS, STATE, Place, ServiceError, here, is_running, program
from ticbridge.shipped import CONFIG as TEMPLATE

_BROKERS: Final = ("localhost", "homeassistant.local", "homeassistant")
_NO_BROKER: Final = (
    "On this machine a broker is installed by: sudo apt install mosquitto. "
    "Home Assistant has one as an add-on (Mosquitto broker)"
)


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing: what cannot be found stays at its default.")
@click.option(
    "--source", help="The meter's port or address, where it is known: /dev/serial/by-id/..., socket://host:port."
)
@click.option("--services/--no-services", default=None, help="Run as services at each start of the machine (as root).")
@click.pass_context
def setup(context: click.Context, yes: bool, source: str | None, services: bool | None) -> None:
    """Find meter and broker, write config.yaml, make the database, offer the services.

    It asks only what it cannot find, keeps a copy of what it changes, and a second run starts from what is there.
    """
    given = context.find_root().params.get("config")
    if services and os.geteuid() != 0:
        raise click.ClickException(f"only root may install services: sudo {program()} setup")
    conversation = Setup(given, yes=yes, services=services)
    sys.exit(conversation.run(source))


class Setup:
    """One conversation."""

    def __init__(self, given: Path | None, *, yes: bool, services: bool | None) -> None:
        self._yes = yes
        self._services = self._wants_services(services)
        own = standing() or PLACES[0]
        self._path = (given or (CONFIG if self._services else own)).absolute()
        self._values: dict[str, Any] = {}  # of config.yaml, each of its own type

    def run(self, source: str | None) -> int:
        """All steps, in the order in which an owner thinks of them."""
        found = load(self._path if self._path.exists() else TEMPLATE)
        set_up(found.log, found.meters[0].zone)
        if self._path.exists():
            click.echo(f"Starting from {self._path}")
        heard = self._find_meter(source or found.meters[0].source)
        self._find_broker(found)
        if self._services:
            self._values |= {"bridge.state_dir": str(STATE), "storage.database": f"sqlite:///{STATE}/db.sqlite3"}
            if found.storage.database.startswith("postgres"):
                del self._values["storage.database"]
        self._write_config()
        settings = load(self._path)
        link = self._make_database(settings)
        if self._services:
            self._install()
        self._show(heard)
        self._say_what_is_next(link)
        return 0

    def _wants_services(self, wanted: bool | None) -> bool:
        if wanted is not None:
            return wanted
        if os.geteuid() != 0:
            if is_running():
                click.echo(f"To have it start with the machine, run it as root instead: sudo {program()} setup")
            return False
        return self._agrees("Start with the machine, as services?")

    def _agrees(self, question: str) -> bool:
        return self._yes or click.confirm(question, default=True)

    # --- the meter -------------------------------------------------------------------------------

    def _find_meter(self, source: str) -> Heard | None:
        names = ports(source)
        troubles = [] if names else ["No serial adapter is plugged in"]
        for name in names:
            click.echo(f"Listening on {name} ...")
            heard = listen(name)
            if heard.is_meter:
                self._values |= {"meters.source": name}
                _introduce(heard)
                return heard
            troubles.append(heard.trouble)
        for trouble in troubles:
            click.echo(f"  {trouble}")
        self._values |= {"meters.source": source}
        click.echo(f"No meter was found; config.yaml says `source: {source}`, and it is read as soon as it speaks")
        return None

    # --- the broker ------------------------------------------------------------------------------

    def _find_broker(self, found: Settings) -> None:
        first = found.mqtt.host
        refused = self._try(found, first)
        if not refused:
            return
        is_login = "refuses the login" in refused
        if not is_login and first == _BROKERS[0]:
            for host in _BROKERS[1:]:
                answer = self._try(found, host, quiet=True)
                if not answer or "refuses the login" in answer:
                    first, refused, is_login = host, answer, bool(answer)
                    break
        if not refused:
            return
        click.echo(f"  {refused}")
        if self._yes:
            click.echo(f"  {_NO_BROKER}" if not is_login else "  Run it again without --yes to give user and password")
            return
        if not is_login:
            click.echo(f"  {_NO_BROKER}")
            first = click.prompt("The broker's address", default=first)
            refused = self._try(found, first)
            is_login = "refuses the login" in refused
        while is_login:
            refused = self._log_in(found, first)
            is_login = "refuses the login" in refused and click.confirm("Try again?", default=True)
        if refused:
            click.echo(f"  {refused}; it is tried again and again once ticbridge runs")

    def _try(self, found: Settings, host: str, *, quiet: bool = False) -> str:
        """Why the broker does not let us in; "" and its address noted when it does."""
        refused = try_broker(found.mqtt.model_copy(update={"host": host}))
        if not refused:
            click.echo(f"Broker: {host}:{found.mqtt.port} lets us in")
        if not refused or not quiet:
            self._values["mqtt.host"] = host
        return refused

    def _log_in(self, found: Settings, host: str) -> str:
        user = click.prompt("User name at the broker", default=found.mqtt.username or "ticbridge")
        password = click.prompt("Password", hide_input=True)
        file = self._path.parent / "mqtt-password"
        file.parent.mkdir(parents=True, exist_ok=True)
        write_secret(file, password)
        self._values |= {"mqtt.host": host, "mqtt.username": user, "mqtt.password_file": str(file)}
        settings = found.mqtt.model_copy(update={"host": host, "username": user, "password_file": file})
        refused = try_broker(settings)
        click.echo(
            f"  {refused}" if refused else f"Broker: {host}:{found.mqtt.port} lets {user} in; password in {file}"
        )
        return refused

    # --- what is written -------------------------------------------------------------------------

    def _write_config(self) -> None:
        old = self._path.read_text(encoding="utf-8") if self._path.exists() else None
        new = changed(old if old is not None else TEMPLATE.read_text(encoding="utf-8"), self._values)
        if old is not None and yaml.safe_load(new) == yaml.safe_load(old):
            click.echo(f"{self._path} stays as it is")
            return
        if old is not None:
            if not self._agrees(f"Change {self._path} (a copy is kept)?"):
                click.echo("Nothing was changed")
                sys.exit(0)
            copy = self._path.with_name(f"{self._path.name}.{datetime.now(UTC):%Y%m%d-%H%M%S}")
            copy.write_text(old, encoding="utf-8")
            click.echo(f"A copy of what was there: {copy}")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(new, encoding="utf-8")
        click.echo(f"Written: {self._path}")

    def _make_database(self, settings: Settings) -> str | None:
        if find_spec("django") is None:
            click.echo("No database and no page: they need ticbridge[store]")
            return None
        path = make_database(self._path)
        click.echo(f"Database: {settings.storage.database}")
        return (
            None if path is None else f"{settings.web.base_url or f'http://{settings.web.listen}'}".rstrip("/") + path
        )

    def _install(self) -> None:
        place: Place = here()
        try:
            for line in place.install(PARTS, self._path, theirs=(STATE, CONFIG.parent / "mqtt-password")):
                click.echo(line)
        except (ServiceError, OSError) as error:
            raise click.ClickException(str(error)) from None

    # --- the end ---------------------------------------------------------------------------------

    def _show(self, heard: Heard | None) -> None:
        if heard is None:
            return
        click.echo("The meter says now:")
        for name, value, unit in (
            ("power", heard.says("sinsts", "papp"), "VA"),
            ("index", heard.says("east", "base", "hchc", "bbrhcjb"), "Wh"),
            ("tariff", heard.says("ltarf", "ptec"), ""),
        ):
            if value is not None:
                click.echo(f"  {name:7} {str(value).strip()} {unit}".rstrip())

    def _say_what_is_next(self, link: str | None) -> None:
        if link is not None:
            click.echo(f"Make the first account, within 15 minutes: {link}")
        if not self._services:
            click.echo(f"Start it: ticbridge --config {self._path} up")
        click.echo("In Home Assistant: Settings, Devices & services, MQTT: the meter is there")


def _introduce(heard: Heard) -> None:
    """What was found, in a line."""
    tariff = str(heard.says("ngtf", "optarif") or "").strip()
    power, current = heard.says("pref"), heard.says("isousc")
    subscribed = f"{power} kVA" if power else f"{current} A" if current else ""
    speed = f" at {heard.speed} baud" if heard.speed else ""
    phases = "three phases" if heard.phases == 3 else "one phase"
    meter = heard.meter or ""
    parts = [f"mode {heard.mode}{speed}", phases, *filter(None, (tariff and f"contract {tariff}", subscribed))]
    click.echo(f"Meter {meter[:2]}...{meter[-4:]}: {', '.join(parts)}")
    if tariff:
        click.echo("  For costs, enter your offer on the page: Contract and prices")


def write_secret(file: Path, text: str) -> None:
    """A file that only its owner may read, from its first moment on."""
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text + "\n")
