"""The part *port*: whether each meter's port is there, is ours to open, and is held by nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from bridge.config import MeterSettings
from bridge.port import URLS, Fault, SerialSource, SourceError, find_ports
from bridge.tic.catalogue import BAUD, Mode
from ticbridge.commands.check import uart
from ticbridge.commands.check.finding import Finding, Words, failed, ok, skipped, warning
from ticbridge.commands.check.machine import Holder
from ticbridge.commands.check.scene import Place, Scene

_MANAGER: Final = "ModemManager"
_ADAPTERS: Final = ("ttyUSB", "ttyACM")

OPENED = ok("port-opened", "{port} can be opened", "{port} peut être ouvert")
OURS = ok(
    "port-ours", "{port} is read by our own bridge, {holder}", "{port} est lu par notre propre passerelle, {holder}"
)
NONE = skipped("port-none", "{port} is no port of this machine", "{port} n'est pas un port de cette machine")
OTHERS = skipped(
    "port-others",
    "{port} is another program's, {holder}: left alone",
    "{port} est à un autre programme, {holder} : laissé tranquille",
)
NOTHING = failed(
    "port-nothing",
    Words(
        "No serial adapter is plugged in",
        "the adapter is not plugged in, or its cable carries power only",
        "plug it in and look at `dmesg`; on the GPIO pins of a Raspberry Pi, name the port: source: /dev/serial0",
    ),
    Words(
        "Aucun adaptateur série n'est branché",
        "l'adaptateur n'est pas branché, ou son câble ne porte que l'alimentation",
        "branchez-le, voyez `dmesg` ; sur les broches d'un Raspberry Pi, nommez le port : source: /dev/serial0",
    ),
)
MISSING = failed(
    "port-missing",
    Words(
        "The port {port} does not exist",
        "the adapter is unplugged, or has another name since it was plugged in again",
        "plug it in, and name it by its stable name: ls /dev/serial/by-id",
    ),
    Words(
        "Le port {port} n'existe pas",
        "l'adaptateur est débranché, ou a changé de nom depuis qu'il a été rebranché",
        "branchez-le, et donnez son nom stable : ls /dev/serial/by-id",
    ),
)
FORBIDDEN = failed(
    "port-forbidden",
    Words(
        "This user may not open {port}, which belongs to the group {group}",
        "the user is not in that group, or was added and has not logged in again",
        "sudo adduser $USER {group}, then log out and in again; as a service, ticbridge is in dialout already",
    ),
    Words(
        "Cet utilisateur ne peut pas ouvrir {port}, qui appartient au groupe {group}",
        "l'utilisateur n'est pas dans ce groupe, ou ne s'est pas reconnecté depuis",
        "sudo adduser $USER {group}, puis déconnexion et reconnexion ; en service, ticbridge est déjà dans dialout",
    ),
)
BUSY = failed(
    "port-busy",
    Words(
        "{port} is in use by {holder}",
        "only one program can read a port; the bytes that another takes never reach us",
        "stop that program, or give us another port",
    ),
    Words(
        "{port} est utilisé par {holder}",
        "un seul programme peut lire un port ; les octets que prend un autre ne nous parviennent jamais",
        "arrêtez ce programme, ou donnez-nous un autre port",
    ),
)
BUSY_UNSEEN = failed(
    "port-busy-unseen",
    Words(
        "{port} is in use by a program of another user",
        "perhaps our own service, whose words on the broker are not heard; or a login shell, another reader",
        "sudo ticbridge check names it; is it ours, the line is judged once the broker answers",
    ),
    Words(
        "{port} est utilisé par un programme d'un autre utilisateur",
        "peut-être notre propre service, qu'on n'entend pas sur le serveur MQTT ; ou un terminal, un autre lecteur",
        "sudo ticbridge check le nomme ; si c'est le nôtre, la ligne est jugée dès que le serveur MQTT répond",
    ),
)
GETTY = failed(
    "port-getty",
    Words(
        "A login shell runs on {port}: {holder}",
        "the console of the Raspberry Pi is still on its serial port",
        "sudo raspi-config, Interface Options, Serial Port: no login shell, yes to the hardware; then restart",
    ),
    Words(
        "Un terminal de connexion tourne sur {port} : {holder}",
        "la console du Raspberry Pi est encore sur son port série",
        "sudo raspi-config, Interface Options, Serial Port : pas de login shell, oui au matériel ; puis redémarrez",
    ),
)
MODEM_HOLDS = failed(
    "port-modemmanager",
    Words(
        "ModemManager holds {port}",
        "it takes every new serial adapter for a modem and talks to it",
        "sudo systemctl disable --now ModemManager, if there is no modem; then plug the adapter in again",
    ),
    Words(
        "ModemManager tient {port}",
        "il prend chaque nouvel adaptateur série pour un modem et lui parle",
        "sudo systemctl disable --now ModemManager, s'il n'y a pas de modem ; puis rebranchez l'adaptateur",
    ),
)
MODEM_RUNS = warning(
    "port-modemmanager-runs",
    Words(
        "ModemManager runs, and may take {port} for a modem each time that it is plugged in",
        "it is installed with some desktops and with network-manager",
        "sudo systemctl disable --now ModemManager, if there is no modem",
    ),
    Words(
        "ModemManager tourne, et peut prendre {port} pour un modem à chaque branchement",
        "il est installé avec certains bureaux et avec network-manager",
        "sudo systemctl disable --now ModemManager, s'il n'y a pas de modem",
    ),
)
NO_PORT = failed(
    "port-no-port",
    Words("{port} is not a serial port", "another device or a file has that name", "name one, such as /dev/ttyUSB0"),
    Words(
        "{port} n'est pas un port série",
        "un autre périphérique ou un fichier porte ce nom",
        "nommez-en un, comme /dev/ttyUSB0",
    ),
)
BROKEN = failed(
    "port-broken",
    Words(
        "{port} {why}",
        "the adapter or its driver fails",
        "plug it in again, look at `dmesg`, try another adapter",
    ),
    Words(
        "{port} ne s'ouvre pas ({why})",
        "l'adaptateur ou son pilote est en défaut",
        "rebranchez-le, regardez `dmesg`, essayez un autre adaptateur",
    ),
)
UNREACHABLE = failed(
    "port-unreachable",
    Words(
        "The serial server does not serve {port} ({why})",
        "it is off, its address has changed, or it serves another client already",
        "look at its address and port; with ser2net, is it running, and does it let more than one in?",
    ),
    Words(
        "Le serveur série ne sert pas {port} ({why})",
        "il est éteint, son adresse a changé, ou il sert déjà un autre client",
        "vérifiez son adresse et son port ; avec ser2net, tourne-t-il, et accepte-t-il plus d'un client ?",
    ),
)
FILE_MISSING = failed(
    "port-file-missing",
    Words(
        "The recording {port} does not exist",
        "its name, or its folder, is another",
        "set source to a file that is there",
    ),
    Words(
        "L'enregistrement {port} n'existe pas",
        "son nom, ou son dossier, est autre",
        "donnez à source un fichier qui existe",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """Each meter's port; one that can be read is left open for the line's part."""
    for number, meter in enumerate(scene.settings.meters):
        scene.places[number] = []
        if meter.source == "auto":
            names = find_ports()
            if not names:
                yield from uart.look(scene.machine, None)
                yield NOTHING()
            for name in names:
                yield from _left_alone(_port(scene, number, name, meter), is_one_of_many=len(names) > 1)
        elif meter.source.startswith(URLS):
            yield from _address(scene, number, meter)
        elif meter.source.startswith("/dev/"):
            yield from _port(scene, number, meter.source, meter)
        elif meter.source == "-" or meter.source.startswith("sim:"):
            yield NONE(port=meter.source)
        else:
            yield (NONE if Path(meter.source).is_file() else FILE_MISSING)(port=meter.source)


def _left_alone(findings: Iterator[Finding], *, is_one_of_many: bool) -> Iterator[Finding]:
    """With source: auto, a port that serves another purpose is no fault while there are others."""
    for finding in findings:
        yield OTHERS(**finding.facts) if is_one_of_many and finding.case is BUSY else finding


def _port(scene: Scene, number: int, name: str, meter: MeterSettings) -> Iterator[Finding]:
    machine, place = scene.machine, Place(name, meter.tic_mode)
    yield from uart.look(machine, name)
    device = Path(name).resolve()
    holders = machine.holders(device)
    if finding := judge_holders(name, holders):
        if finding.case is OURS:
            place.is_ours = True
            scene.places[number].append(place)
        yield finding
        return
    try:
        place.source = SerialSource(name, BAUD[meter.tic_mode or Mode.STANDARD])
    except SourceError as error:
        if error.fault is Fault.BUSY and _is_read_by_ours(scene, number):
            place.is_ours = True
            scene.places[number].append(place)
            yield OURS(port=name, holder=scene.settings.bridge.id)
        else:
            yield judge_opening(name, error, device)
        return
    scene.places[number].append(place)
    yield OPENED(port=name)
    yield from judge_modems(name, device, machine.processes())


def judge_holders(port: str, holders: list[Holder]) -> Finding | None:
    """Who has the port open, if anybody."""
    for holder in holders:
        if holder.name == _MANAGER:
            return MODEM_HOLDS(port=port)
        if holder.name in ("agetty", "getty", "login"):
            return GETTY(port=port, holder=holder)
    if not holders:
        return None
    ours = next((holder for holder in holders if holder.is_bridge), None)
    return OURS(port=port, holder=ours) if ours else BUSY(port=port, holder=holders[0])


def judge_modems(port: str, device: Path, processes: Iterable[tuple[int, str]]) -> Iterator[Finding]:
    """Whether something may take this adapter for a modem."""
    if device.name.startswith(_ADAPTERS) and any(name == _MANAGER for _, name in processes):
        yield MODEM_RUNS(port=port)


def judge_opening(port: str, error: SourceError, device: Path) -> Finding:
    """Why it could not be opened."""
    if error.fault is Fault.MISSING:
        return MISSING(port=port)
    if error.fault is Fault.FORBIDDEN:
        return FORBIDDEN(port=port, group=_group(device))
    if error.fault is Fault.BUSY:
        return BUSY_UNSEEN(port=port)
    if error.fault is Fault.NO_PORT:
        return NO_PORT(port=port)
    return BROKEN(port=port, why=error.why)


def _group(device: Path) -> str:
    try:
        return device.group()
    except (OSError, KeyError):
        return "dialout"


def _is_read_by_ours(scene: Scene, number: int) -> bool:
    """Whether a bridge that we may not see as a process says that it reads this meter."""
    bridge = scene.visit.bridge
    meters = bridge.info.meters if bridge.online and bridge.info else []
    return number < len(meters) and meters[number].source_open


def _address(scene: Scene, number: int, meter: MeterSettings) -> Iterator[Finding]:
    """A serial server. One that serves a single client serves our own bridge while that runs."""
    if _is_read_by_ours(scene, number):
        scene.places[number].append(Place(meter.source, meter.tic_mode, is_ours=True))
        yield OURS(port=meter.source, holder=scene.settings.bridge.id)
        return
    try:
        source = SerialSource(meter.source, BAUD[meter.tic_mode or Mode.STANDARD])
    except SourceError as error:
        yield UNREACHABLE(port=meter.source, why=str(error).removeprefix(f"{meter.source} "))
        return
    scene.places[number].append(Place(meter.source, meter.tic_mode, source))
    yield OPENED(port=meter.source)
