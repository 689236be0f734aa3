"""The part *units*: the services that systemd keeps running."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from ticbridge.commands.check.finding import Finding, Words, failed, ok, skipped, warning
from ticbridge.commands.check.scene import Scene

_UNITS: Final = ("ticbridge-bridge", "ticbridge-store", "ticbridge-web", "tic-capture")
_KEYS: Final = ("Id", "LoadState", "ActiveState", "SubState", "UnitFileState", "ExecMainStatus", "NRestarts")
_WRONG_CONFIGURATION: Final = "78"

RUNS = ok("unit-runs", "{unit} runs", "{unit} tourne")
NO_SYSTEMD = skipped("units-no-systemd", "There is no systemd here", "Il n'y a pas de systemd ici")
NONE = skipped(
    "units-none",
    "ticbridge is not installed as a service (docs/how-to/systemd.md)",
    "ticbridge n'est pas installé en service (docs/how-to/systemd.fr.md)",
)
CONFIGURATION = failed(
    "unit-configuration",
    Words(
        "{unit} stopped because of the configuration (exit code 78)",
        "the service reads /etc/ticbridge/config.yaml, which may be another one than yours",
        "systemctl status {unit} shows the sentence; ticbridge --config /etc/ticbridge/config.yaml check",
    ),
    Words(
        "{unit} s'est arrêté à cause de la configuration (code 78)",
        "le service lit /etc/ticbridge/config.yaml, qui n'est peut-être pas la vôtre",
        "systemctl status {unit} montre la phrase ; ticbridge --config /etc/ticbridge/config.yaml check",
    ),
)
FAILED = failed(
    "unit-failed",
    Words(
        "{unit} has failed (exit code {code})",
        "its journal says why",
        "journalctl -u {unit} -n 30, then sudo systemctl restart {unit}",
    ),
    Words(
        "{unit} est en échec (code {code})",
        "son journal dit pourquoi",
        "journalctl -u {unit} -n 30, puis sudo systemctl restart {unit}",
    ),
)
RESTARTS = failed(
    "unit-restarts",
    Words(
        "{unit} ends and is started again, {times} times by now (exit code {code})",
        "something that it needs is missing: its journal says what",
        "journalctl -u {unit} -n 30; what failed above is most likely why",
    ),
    Words(
        "{unit} s'arrête et est relancé, {times} fois déjà (code {code})",
        "il lui manque quelque chose : son journal dit quoi",
        "journalctl -u {unit} -n 30 ; ce qui est en échec plus haut est sans doute la raison",
    ),
)
STOPPED = warning(
    "unit-stopped",
    Words(
        "{unit} is installed and does not run",
        "it was stopped, or never enabled",
        "sudo systemctl enable --now {unit}",
    ),
    Words(
        "{unit} est installé et ne tourne pas",
        "il a été arrêté, ou jamais activé",
        "sudo systemctl enable --now {unit}",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Each unit of ours that is installed."""
    names = [f"{unit}.service" for unit in _UNITS]
    text = scene.machine.answer("systemctl", "show", f"--property={','.join(_KEYS)}", *names)
    if text is None:
        yield NO_SYSTEMD()
        return
    blocks = [dict(line.partition("=")[::2] for line in block.splitlines()) for block in text.strip().split("\n\n")]
    installed = [block for block in blocks if block.get("LoadState") == "loaded"]
    if not installed:
        yield NONE()
    yield from (finding for block in installed for finding in judge(block))


def judge(shown: Mapping[str, str]) -> Iterator[Finding]:
    """A unit, by what `systemctl show` prints of it."""
    unit, code = shown.get("Id", "").removesuffix(".service"), shown.get("ExecMainStatus", "")
    state = shown.get("ActiveState")
    if state == "failed":
        yield CONFIGURATION(unit=unit) if code == _WRONG_CONFIGURATION else FAILED(unit=unit, code=code)
    elif state == "activating" and shown.get("SubState") == "auto-restart":
        yield RESTARTS(unit=unit, times=shown.get("NRestarts", ""), code=code)
    elif state in ("active", "activating", "reloading"):
        yield RUNS(unit=unit)
    elif unit != "tic-capture" or shown.get("UnitFileState") == "enabled":
        yield STOPPED(unit=unit)  # the capture takes the place of the others, where it is wanted
