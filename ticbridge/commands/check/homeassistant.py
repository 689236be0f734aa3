"""The part *Home Assistant*: whether it is told of the meters, whether it listens, whether it answers."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPException
from typing import Final, NamedTuple

from bridge.topics import ONLINE, Topics
from homeassistant.discovery import teller
from ticbridge.commands.check.finding import Finding, Words, failed, ok, skipped, warning
from ticbridge.commands.check.scene import Scene

_PATIENCE: Final = 2.0  # seconds for its page
_ERROR: Final = 500  # HTTP codes from here on are its own trouble

OFF = skipped("ha-off", "homeassistant.enabled is false", "homeassistant.enabled est à false")
UNLOOKED = skipped(
    "ha-unlooked",
    "Not looked at: the broker did not let us in",
    "Non examiné : le serveur MQTT ne nous a pas laissés entrer",
)
NOT_RUN = skipped(
    "ha-not-run",
    "The bridge is not running: it announces the meters when it is",
    "La passerelle ne tourne pas : c'est elle qui annonce les compteurs",
)
TOLD = ok(
    "ha-told",
    "Home Assistant is told of every meter ({meters}) and was there on {birth}",
    "Home Assistant connaît chaque compteur ({meters}) et était là le {birth}",
)
ANSWERS = ok("ha-answers", "{url} answers", "{url} répond")
NOT_TOLD = failed(
    "ha-not-told",
    Words(
        "The broker holds no discovery of {meter} for Home Assistant",
        "it was deleted, or the access list does not let the bridge write below {prefix}/device/",
        "ticbridge discovery publish; if that does not help, look at the part rights",
    ),
    Words(
        "Le serveur MQTT n'a pas la découverte de {meter} pour Home Assistant",
        "elle a été effacée, ou la liste d'accès ne laisse pas la passerelle écrire sous {prefix}/device/",
        "ticbridge discovery publish ; sinon, voyez la partie droits",
    ),
)
NO_BIRTH = warning(
    "ha-no-birth",
    Words(
        "No word of Home Assistant was ever heard on {topic}",
        "its MQTT integration is not set up, is on another broker, or was started before the bridge",
        "add the integration MQTT with this broker, then restart Home Assistant once",
    ),
    Words(
        "Home Assistant n'a jamais été entendu sur {topic}",
        "son intégration MQTT n'est pas installée, est sur un autre serveur, ou a démarré avant la passerelle",
        "ajoutez l'intégration MQTT avec ce serveur, puis redémarrez Home Assistant une fois",
    ),
)
UNREACHABLE = failed(
    "ha-unreachable",
    Words(
        "{url} does not answer ({why})",
        "Home Assistant is not running, is still starting, or homeassistant.url is wrong",
        "open that address in a browser; set homeassistant.url to the one that works",
    ),
    Words(
        "{url} ne répond pas ({why})",
        "Home Assistant ne tourne pas, démarre encore, ou homeassistant.url est faux",
        "ouvrez cette adresse dans un navigateur ; mettez dans homeassistant.url celle qui marche",
    ),
)


class Facts(NamedTuple):
    """What the broker holds, and what our bridge says."""

    meters: list[str]  # that it reads
    told: set[str]  # topics of discovery by our bridge
    birth: str | None  # when it last heard Home Assistant
    is_there: bool = False  # a retained birth


def look(scene: Scene) -> Iterator[Finding]:
    """Discovery, its listener, its page."""
    settings = scene.settings.homeassistant
    if not settings.enabled:
        yield OFF()
        return
    visit, topics = scene.visit, Topics(scene.settings.mqtt.base_topic)
    if visit.trouble is not None:
        yield UNLOOKED()
    elif not visit.bridge.online or visit.bridge.info is None:
        yield NOT_RUN()
    else:
        info = visit.bridge.info
        ours = topics.bridge(scene.settings.bridge.id, "status")
        told = {where for where, body in visit.retained.items() if teller(body) == ours}
        meters = [meter.meter for meter in info.meters if meter.meter is not None]
        is_there = visit.retained.get(settings.status_topic) == ONLINE.encode()
        yield from judge(Facts(meters, told, info.birth, is_there), settings.discovery_prefix, settings.status_topic)
    if settings.url is not None:
        yield answers(settings.url)


def judge(facts: Facts, prefix: str, status_topic: str) -> Iterator[Finding]:
    """Whether Home Assistant shows what we read."""
    missing = [meter for meter in facts.meters if f"{prefix}/device/linky_{meter}/config" not in facts.told]
    yield from (NOT_TOLD(meter=meter, prefix=prefix) for meter in missing)
    if facts.birth is None and not facts.is_there:
        yield NO_BIRTH(topic=status_topic)
    elif not missing:
        yield TOLD(meters=len(facts.meters), birth=facts.birth or "-")


def answers(url: str, patience: float = _PATIENCE) -> Finding:
    """Whether its page opens; a login page is an answer."""
    try:
        with urllib.request.urlopen(url, timeout=patience):  # noqa: S310  the configuration lets http and https through
            return ANSWERS(url=url)
    except urllib.error.HTTPError as error:
        with error:
            return ANSWERS(url=url) if error.code < _ERROR else UNREACHABLE(url=url, why=f"HTTP {error.code}")
    except (OSError, HTTPException, ValueError) as error:
        reason = getattr(error, "reason", error)
        return UNREACHABLE(url=url, why=getattr(reason, "strerror", None) or reason)
