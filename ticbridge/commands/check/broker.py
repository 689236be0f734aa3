"""The part *broker*: whether it answers, lets us in, and keeps enough while the store is away."""

from __future__ import annotations

import ipaddress
import itertools
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from bridge.mqtt import Fault, Trouble
from ticbridge.commands.check.finding import Case, Finding, Words, failed, ok, warning
from ticbridge.commands.check.machine import Machine
from ticbridge.commands.check.scene import Scene

_DEFAULT_QUEUE: Final = 1000  # mosquitto's max_queued_messages
_ENOUGH: Final = 10_000  # four hours of one meter
_CONFIG: Final = Path("/etc/mosquitto/mosquitto.conf")

ANSWERS = ok("broker-answers", "{broker} lets us in", "{broker} nous laisse entrer")
REFUSED = failed(
    "broker-refused",
    Words(
        "The broker {broker} refuses connections",
        "it is not running, or listens on another port or on its own machine only",
        "sudo systemctl status mosquitto; look at mqtt.port, and at `listener` in its configuration",
    ),
    Words(
        "Le serveur MQTT {broker} refuse les connexions",
        "il ne tourne pas, ou écoute sur un autre port ou sur sa propre machine seulement",
        "sudo systemctl status mosquitto ; vérifiez mqtt.port, et `listener` dans sa configuration",
    ),
)
UNKNOWN = failed(
    "broker-unknown",
    Words(
        "The broker's name in {broker} is not known",
        "a slip in mqtt.host, or a name that only other machines know",
        "set mqtt.host to its name or its address, as `ping` finds it from here",
    ),
    Words(
        "Le nom du serveur MQTT dans {broker} n'est pas connu",
        "une faute dans mqtt.host, ou un nom que seules d'autres machines connaissent",
        "mettez dans mqtt.host son nom ou son adresse, tels que `ping` les trouve d'ici",
    ),
)
SILENT = failed(
    "broker-silent",
    Words(
        "The broker {broker} does not answer",
        "its machine is off, its address has changed, or a firewall is between",
        "ping it; open its port in the firewall; look at mqtt.host",
    ),
    Words(
        "Le serveur MQTT {broker} ne répond pas",
        "sa machine est éteinte, son adresse a changé, ou un pare-feu s'interpose",
        "faites un ping ; ouvrez son port dans le pare-feu ; vérifiez mqtt.host",
    ),
)
UNREACHABLE = failed(
    "broker-unreachable",
    Words(
        "There is no way to the broker {broker}: {why}",
        "this machine has no network, or not that one",
        "look at its network: ip route; then at mqtt.host",
    ),
    Words(
        "Aucun chemin vers le serveur MQTT {broker} : {why}",
        "cette machine n'a pas de réseau, ou pas celui-là",
        "regardez son réseau : ip route ; puis mqtt.host",
    ),
)
MUTE = failed(
    "broker-mute",
    Words(
        "Something answers at {broker}, and does not speak MQTT with us",
        "the port of TLS without mqtt.tls, or of another program",
        "1883 is the port without TLS as a rule, 8883 the one with: set mqtt.port, and mqtt.tls if TLS is wanted",
    ),
    Words(
        "Quelque chose répond à {broker}, et ne parle pas MQTT avec nous",
        "le port de TLS sans mqtt.tls, ou celui d'un autre programme",
        "1883 est d'habitude le port sans TLS, 8883 celui avec : réglez mqtt.port, et mqtt.tls si TLS est voulu",
    ),
)
TLS = failed(
    "broker-tls",
    Words(
        "TLS with the broker does not come about: {why}",
        "a certificate that expired, is of another authority or of another name; or this machine's clock",
        "do what it says; docs/how-to/broker.md, section TLS, takes each sentence in turn",
    ),
    Words(
        "TLS avec le serveur MQTT n'aboutit pas : {why}",
        "un certificat expiré, d'une autre autorité ou à un autre nom ; ou l'horloge de cette machine",
        "suivez la phrase ; docs/how-to/broker.fr.md, section TLS, les prend une à une",
    ),
)
LOGIN = failed(
    "broker-login",
    Words(
        "The broker {broker} refuses our login",
        "mqtt.username or its password is wrong or missing",
        "set both as in the broker's list (sudo mosquitto_passwd /etc/mosquitto/ticbridge.passwd bridge sets it anew)",
    ),
    Words(
        "Le serveur MQTT {broker} refuse notre identifiant",
        "mqtt.username ou son mot de passe est faux ou absent",
        "mettez ceux de la liste du serveur (sudo mosquitto_passwd /etc/mosquitto/ticbridge.passwd bridge la change)",
    ),
)
OURS = failed(
    "broker-ours",
    Words("The connection cannot be made: {why}", "a file of this machine", "mend the file that it names"),
    Words("La connexion ne peut se faire : {why}", "un fichier de cette machine", "corrigez le fichier nommé"),
)
QUEUE = warning(
    "broker-queue",
    Words(
        "The broker keeps only {kept} messages while the store is away ({file})",
        "max_queued_messages is at its default, or set low: {kept} is {minutes} minutes of one meter",
        "max_queued_messages 100000 in /etc/mosquitto/conf.d, then restart it (docs/how-to/broker.md)",
    ),
    Words(
        "Le serveur MQTT ne garde que {kept} messages quand le stockage est absent ({file})",
        "max_queued_messages est à sa valeur par défaut, ou bas : {kept} font {minutes} minutes d'un compteur",
        "max_queued_messages 100000 dans /etc/mosquitto/conf.d, puis redémarrez-le (docs/how-to/broker.fr.md)",
    ),
)

_CASES: Final[dict[Fault, Case]] = {
    Fault.REFUSED: REFUSED,
    Fault.UNKNOWN: UNKNOWN,
    Fault.SILENT: SILENT,
    Fault.UNREACHABLE: UNREACHABLE,
    Fault.MUTE: MUTE,
    Fault.TLS: TLS,
    Fault.LOGIN: LOGIN,
    Fault.ENDED: MUTE,
    Fault.ACCESS: LOGIN,
    Fault.OURS: OURS,
}


def look(scene: Scene) -> Iterator[Finding]:
    """Connect, once for all parts."""
    visit = scene.visit
    yield judge(visit.where, visit.trouble)
    if _is_here(scene.settings.mqtt.host):
        yield from judge_queue(scene.machine, scene.settings.mqtt.port)


def judge(broker: str, trouble: Trouble | None) -> Finding:
    """Whether we are in."""
    if trouble is None:
        return ANSWERS(broker=broker)
    why = (
        trouble.sentence.partition("; trying")[0]
        .partition("; connecting")[0]
        .removesuffix(" trying again until it answers")
    )
    if trouble.fault is Fault.UNREACHABLE:
        why = why.partition("(")[2].removesuffix(")")
    return _CASES[trouble.fault](broker=broker, why=why.rstrip(";"))


# --- mosquitto's configuration, where it runs on this machine -------------------------------------


def judge_queue(machine: Machine, port: int) -> Iterator[Finding]:
    """Whether a mosquitto of this machine that listens on our port keeps enough."""
    for config in _configurations(machine):
        options = read_options(machine, config)
        if port in _ports(options):
            kept, file = _DEFAULT_QUEUE, str(config)
            for key, value, where in options:
                if key == "max_queued_messages" and value.isdigit():
                    kept, file = int(value), where
            if 0 < kept < _ENOUGH:  # 0 is no limit
                yield QUEUE(kept=kept, file=file, minutes=kept // 40)
            return


def _configurations(machine: Machine) -> Iterator[Path]:
    """What those that run were started with, else Debian's place."""
    for pid, name in machine.processes():
        if name == "mosquitto":
            command = machine.command(pid)
            yield from (Path(file) for option, file in itertools.pairwise(command) if option == "-c")
    yield _CONFIG


def read_options(machine: Machine, config: Path) -> list[tuple[str, str, str]]:
    """(option, value, file) of a configuration and of what it includes, in mosquitto's order."""
    found = []
    for line in machine.text(str(config)).splitlines():
        key, _, value = line.strip().partition(" ")
        value = value.strip()
        if key == "include_dir":
            with suppress(OSError):
                folder = machine.path(value)
                for name in sorted(file.name for file in folder.iterdir() if file.name.endswith(".conf")):
                    found += read_options(machine, Path(value, name))
        elif key and not key.startswith("#"):
            found.append((key, value, str(config)))
    return found


def _ports(options: list[tuple[str, str, str]]) -> set[int]:
    listened = [re.match(r"\d+", value) for key, value, _ in options if key in ("listener", "port")]
    return {int(found[0]) for found in listened if found} or {1883}


def _is_here(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host in ("localhost", socket.gethostname())
