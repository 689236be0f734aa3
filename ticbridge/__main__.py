"""Opens the rooms and dispatches the commands; `--help` imports none of them."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from keyword import iskeyword
from pathlib import Path
from typing import Any, Final

import click

EXIT_CONFIG: Final = 78
ROOMS: Final = ("bridge", "homeassistant", "storage")

# command -> (module, one line for --help); the command is the module's object of the same name, `import_` of `import`
COMMANDS: Final = {
    "demo": (
        "ticbridge.commands.demo",
        "Everything at once with a simulated meter: bridge, broker, store, page.",
    ),
    "setup": (
        "ticbridge.commands.setup",
        "Find meter and broker, write config.yaml, make the database, offer the services.",
    ),
    "service": ("ticbridge.commands.service", "The systemd units: install, uninstall, status."),
    "up": ("ticbridge.commands.up", "Bridge, store and web together, supervised, until stopped."),
    "bridge": ("bridge.cli", "Read the meters and publish to MQTT, until stopped."),
    "store": ("storage.cli", "Store the readings from MQTT, until stopped."),
    "web": ("storage.cli", "Serve the page and the admin, until stopped."),
    "check": ("ticbridge.commands.check.command", "Look at every part: what is wrong, why, what to do."),
    "decode": ("bridge.cli", "Decode frames of a file, a port, a URL or standard input."),
    "capture": ("bridge.capture", "Record what arrives, byte for byte."),
    "anonymise": ("bridge.capture", "Copy a recorded file without the numbers that name a household."),
    "simulate": ("bridge.cli", "A meter that does not exist."),
    "labels": ("bridge.cli", "The catalogue: every label of both modes."),
    "discovery": ("bridge.discovery", "Home Assistant discovery by hand: show, publish, remove."),
    "import": ("storage.exchange.import_cli", "Take in a file: the tutorial's database, what Enedis gives out."),
    "export": ("storage.exchange.export_cli", "Give out readings or roll-ups: CSV, JSON lines."),
    "backup": ("storage.exchange.backup_cli", "Copy the database into a file while the store writes."),
    "restore": ("storage.exchange.backup_cli", "Put a backup in the database's place."),
    "manage": ("storage.cli", "Django's own commands: migrate, createsuperuser, shell ..."),
}


class _Rooms:
    """Finds `bridge`, `homeassistant` and `storage` in our own folder, whatever else an installation holds.

    In a checkout the rooms stand beside this package, in a wheel inside it. Only this process sees them under
    their short names: nothing is added to the installation, so the real Home Assistant stays where it is.
    """

    def __init__(self) -> None:
        here = Path(__file__).resolve().parent
        self._folder = str(here if (here / "bridge").is_dir() else here.parent)

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        """The finder's protocol (PEP 451)."""
        return importlib.machinery.PathFinder.find_spec(name, [self._folder]) if name in ROOMS else None


def open_rooms() -> None:
    """Make the rooms importable by their short names, once."""
    if not any(isinstance(finder, _Rooms) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Rooms())


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        try:
            module = importlib.import_module(COMMANDS[cmd_name][0])
        except ModuleNotFoundError as error:
            if error.name is None or error.name.partition(".")[0] in (*ROOMS, "ticbridge"):
                raise
            extra = "demo" if cmd_name == "demo" else "store"
            raise click.ClickException(
                f"`{cmd_name}` needs the package {error.name}, which is not installed: pip install 'ticbridge[{extra}]'"
            ) from None
        command: click.Command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


def _loader(path: Path | None) -> Callable[[], Any]:  # Settings, which only the rooms know
    def load() -> Any:
        from bridge.config import CONFIG_VARIABLE, ConfigError  # noqa: PLC0415  the rooms open lazily
        from bridge.config import load as load_settings  # noqa: PLC0415
        from bridge.logs import set_up  # noqa: PLC0415

        if path is not None:
            os.environ[CONFIG_VARIABLE] = str(path.absolute())
        try:
            settings = load_settings(path)
        except ConfigError as error:
            raise _Configuration(str(error)) from None
        set_up(settings.log, settings.meters[0].zone)
        return settings

    return load


class _Configuration(click.ClickException):
    exit_code = EXIT_CONFIG

    def show(self, file: Any = None) -> None:  # click's own signature
        for line in self.message.splitlines():
            click.echo(f"ticbridge: {line}", err=True)


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Default: ./config.yaml, then /etc/ticbridge/config.yaml.",
)
@click.version_option(package_name="ticbridge")
@click.pass_context
def cli(context: click.Context, config: Path | None) -> None:
    """ticbridge reads the TIC output of a Linky meter: MQTT, Home Assistant, history, dashboard."""
    context.obj = _loader(config)


def main() -> None:
    """The console script."""
    open_rooms()
    try:
        cli(prog_name="ticbridge")
    except Exception as error:
        # Only a command that read the configuration can have found it wrong; `--help` never opened that room.
        config = sys.modules.get("bridge.config")
        if config is None or not isinstance(error, config.ConfigError):
            raise
        _Configuration(str(error)).show()
        sys.exit(EXIT_CONFIG)


if __name__ == "__main__":
    main()
