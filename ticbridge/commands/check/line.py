"""The part *line quality*: what comes over the wire, heard by ourselves, or by our bridge while it has the port."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, Protocol

from bridge.checked import Moment
from bridge.derived.quality import LineQuality
from bridge.detect import SPEEDS, Cause, Evidence, Search, Verdict
from bridge.line import Line
from bridge.port import URLS, SourceError
from bridge.tic.catalogue import BAUD, Mode
from storage.operations.fleet import Bridge, MeterCounts
from ticbridge.commands.check.finding import Finding, Words, failed, ok, skipped, warning
from ticbridge.commands.check.scene import Place, Scene

LONGEST: Final = 10.5  # seconds for all lines; silence at five speeds takes 10
_ENOUGH: Final = 2  # frames after which the share of good groups says something
_GOOD: Final = 95  # % of groups; a screened cable loses none

GOOD = ok(
    "line-good",
    "{port} speaks {mode} at {speed} baud, {quality} % of its groups are good",
    "{port} parle {mode} à {speed} bauds, {quality} % de ses groupes sont bons",
)
GOOD_REMOTE = ok(
    "line-good-remote",
    "{port} speaks {mode}, {quality} % of its groups are good",
    "{port} parle {mode}, {quality} % de ses groupes sont bons",
)
BRIDGE_GOOD = ok(
    "line-bridge-good",
    "Our bridge reads a meter, {quality} % of its groups are good",
    "Notre passerelle lit un compteur, {quality} % de ses groupes sont bons",
)
NOT_HEARD = skipped("line-not-heard", "There is no port to listen to", "Il n'y a pas de port à écouter")
SILENT = failed(
    "line-silent",
    Words(
        "No signal on {port}",
        "I1 and I2 are not connected, or A was used instead of one of them, or the adapter is dead",
        "connect the adapter's two wires to I1 and I2 (either way round) and press the screws",
    ),
    Words(
        "Aucun signal sur {port}",
        "I1 et I2 ne sont pas reliés, ou A a servi à la place de l'un d'eux, ou l'adaptateur est en panne",
        "reliez les deux fils de l'adaptateur à I1 et I2 (dans n'importe quel sens) et serrez les vis",
    ),
)
NOISE = failed(
    "line-noise",
    Words(
        "Bytes arrive on {port}, but no valid group at any speed (tried {speeds} baud)",
        "noise, or an adapter that inverts the line",
        "check the wires, shorten the cable, keep it away from mains, or try another adapter",
    ),
    Words(
        "Des octets arrivent sur {port}, mais aucun groupe valide à aucune vitesse (essayées : {speeds} bauds)",
        "du bruit, ou un adaptateur qui inverse la ligne",
        "vérifiez les fils, raccourcissez le câble, éloignez-le du secteur, ou essayez un autre adaptateur",
    ),
)
NOISE_REMOTE = failed(
    "line-noise-remote",
    Words(
        "Bytes arrive from {port}, but no valid group",
        "the serial server reads at the wrong speed, or noise",
        "have it read 1200 baud (historique) or 9600 (standard), 7 bits, even parity; then check the wires",
    ),
    Words(
        "Des octets arrivent de {port}, mais aucun groupe valide",
        "le serveur série lit à la mauvaise vitesse, ou du bruit",
        "faites-lui lire 1200 bauds (historique) ou 9600 (standard), 7 bits, parité paire ; puis vérifiez les fils",
    ),
)
OTHER_MODE = failed(
    "line-other-mode",
    Words(
        "The meter on {port} speaks {mode}, not {wanted}",
        "the mode in config.yaml is not the meter's, or the supplier switched it",
        "set mode: auto (it follows a switch), or mode: {mode}",
    ),
    Words(
        "Le compteur sur {port} parle {mode}, pas {wanted}",
        "le mode de config.yaml n'est pas celui du compteur, ou le fournisseur l'a changé",
        "mettez mode: auto (il suit un changement), ou mode: {mode}",
    ),
)
NOT_RAW = failed(
    "line-not-raw",
    Words(
        "The terminal is not raw: on {port} CR and LF are exchanged or ETX is swallowed",
        "another program set it so: a login shell on the port, cat, a serial server",
        "stop it, or set the terminal raw: stty -F {port} raw",
    ),
    Words(
        "Le terminal n'est pas brut : sur {port}, CR et LF sont échangés ou ETX est avalé",
        "un autre programme l'a réglé ainsi : un terminal de connexion sur le port, cat, un serveur série",
        "arrêtez-le, ou remettez le terminal brut : stty -F {port} raw",
    ),
)
POOR = warning(
    "line-poor",
    Words(
        "The line of {port} is bad: only {quality} % of its groups are good",
        "a long or unscreened cable, a loose screw, mains beside it",
        "press the screws, shorten the cable, use a screened pair; what is damaged is never published",
    ),
    Words(
        "La ligne de {port} est mauvaise : seuls {quality} % de ses groupes sont bons",
        "un câble long ou sans blindage, une vis desserrée, le secteur à côté",
        "serrez les vis, raccourcissez le câble, prenez une paire blindée ; ce qui est abîmé n'est jamais publié",
    ),
)
GONE = failed(
    "line-gone",
    Words("{port} {why}", "the adapter was unplugged, or its cable is loose", "plug it in again; try another cable"),
    Words(
        "{port} ne se lit plus ({why})",
        "l'adaptateur a été débranché, ou son câble tient mal",
        "rebranchez-le ; essayez un autre câble",
    ),
)
BRIDGE_TROUBLED = failed(
    "line-bridge-troubled",
    Words(
        "Our bridge reads nothing: {why}",
        "as its sentence says",
        "do what it says; the bridge goes on by itself, without a restart",
    ),
    Words(
        "Notre passerelle ne lit rien : {why}",
        "ce que dit sa phrase (celle de son journal, en anglais)",
        "faites ce qu'elle dit ; la passerelle reprend d'elle-même, sans redémarrage",
    ),
)
BRIDGE_WAITS = warning(
    "line-bridge-waits",
    Words(
        "Our bridge has the port and has not understood two frames yet",
        "it began to listen a moment ago: that takes up to half a minute",
        "run the check again in a minute",
    ),
    Words(
        "Notre passerelle a le port et n'a pas encore compris deux trames",
        "elle écoute depuis peu : il faut jusqu'à une demi-minute",
        "relancez la vérification dans une minute",
    ),
)
BRIDGE_UNHEARD = warning(
    "line-bridge-unheard",
    Words(
        "Our bridge has the port, and what it says of the line does not reach us",
        "the broker does not answer, or its access list does not let this login read linky/bridge/...",
        "journalctl -u ticbridge-bridge -n 20; give the login `topic read` on it (docs/how-to/broker.md)",
    ),
    Words(
        "Notre passerelle a le port, et ce qu'elle dit de la ligne ne nous parvient pas",
        "le serveur MQTT ne répond pas, ou sa liste d'accès ne laisse pas lire linky/bridge/...",
        "journalctl -u ticbridge-bridge -n 20 ; donnez `topic read` dessus (docs/how-to/broker.fr.md)",
    ),
)


class Bytes(Protocol):
    """An open port."""

    def read(self) -> bytes:
        """What arrived within a short time."""

    def tune(self, speed: int) -> None:
        """Listen at another speed."""


@dataclass(slots=True)
class Heard:
    """What was found out by listening."""

    verdict: Verdict
    quality: int | None = None  # % of groups
    refused: int = 0
    apart: timedelta | None = None  # the host's clock less the meter's


def look(scene: Scene) -> Iterator[Finding]:
    """Each line; those of our bridge by what it says."""
    until = monotonic() + LONGEST
    places = [(number, place) for number, places in scene.places.items() for place in places]
    if not places:
        yield NOT_HEARD()
    left = sum(not place.is_ours for _, place in places)
    for number, place in places:
        if place.is_ours:
            yield judge_bridge(scene.visit.bridge, number)
            continue
        assert place.source is not None, "the port's part opened it"
        try:
            heard = listen(place.source, place, monotonic() + (until - monotonic()) / left)
        except SourceError as error:
            yield GONE(port=place.name, why=error.why)
        else:
            scene.apart = heard.apart or scene.apart
            yield from judge(place, heard)
        left -= 1


# --- by ourselves --------------------------------------------------------------------------------


def listen(
    source: Bytes,
    place: Place,
    until: float,
    clock: Callable[[], float] = monotonic,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Heard:
    """Find the speed, then hear some frames at it."""
    speeds = _speeds(place)
    search = Search(speeds, clock())
    speed, heard_anything = search.speed, False
    while clock() < until:
        piece = source.read()
        heard_anything |= bool(piece)
        verdict = search.hear(piece, clock())
        if search.speed != speed:
            speed = search.speed
            source.tune(speed)
        if verdict is None:
            continue
        if verdict.cause is not Cause.PROVEN:
            return Heard(verdict)
        return _measure(source, place, verdict, search.kept, until, clock, now)
    return Heard(Verdict(Cause.NOISE if heard_anything else Cause.SILENT, speeds[: speeds.index(speed) + 1]))


def _speeds(place: Place) -> tuple[int, ...]:
    """The configured one first; behind an address the other end chooses, and ours is nothing but a name."""
    first = BAUD[place.mode or Mode.STANDARD]
    return (first,) if place.name.startswith(URLS) else (first, *(speed for speed in SPEEDS if speed != first))


def _measure(
    source: Bytes, place: Place, verdict: Verdict, kept: bytes, until: float, clock: Callable[[], float],
    now: Callable[[], datetime],
) -> Heard:  # fmt: skip
    evidence, line, quality = Evidence(), Line(verdict.mode, guarded=False), LineQuality()
    heard, piece, frames = Heard(verdict), kept, 0
    while frames < _ENOUGH and clock() < until:
        evidence.add(piece)
        for frame in line.feed(piece, Moment(now(), clock())) if piece else ():
            quality.add(frame)
            frames += 1
            heard.refused += len(frame.decoded.refused)
            stamp = frame.decoded.reading.stamps.get("date") if frame.decoded.reading else None
            if stamp is not None and not stamp.degraded and frames > 1:  # the first one was kept back
                heard.apart = frame.at.utc - stamp.at
        piece = source.read()
    found = dict(quality.values(clock()))
    share = found.get("link_quality")
    heard.quality = share if isinstance(share, int) else None
    if place.mode not in (None, verdict.mode):
        heard.verdict = Verdict(Cause.OTHER_MODE, verdict.speeds, verdict.mode, place.mode)
    elif not evidence.is_raw:
        heard.verdict = Verdict(Cause.NOT_RAW, verdict.speeds, verdict.mode)
    return heard


def judge(place: Place, heard: Heard) -> Iterator[Finding]:
    """What was heard, for the owner."""
    verdict, port = heard.verdict, place.name
    is_remote = port.startswith(URLS)
    if verdict.cause is Cause.SILENT:
        yield SILENT(port=port)
    elif verdict.cause is Cause.OTHER_MODE:
        yield OTHER_MODE(port=port, mode=verdict.mode, wanted=verdict.wanted)
    elif verdict.cause is Cause.NOT_RAW:
        yield NOT_RAW(port=port)
    elif verdict.cause is not Cause.PROVEN:
        speeds = ", ".join(str(speed) for speed in verdict.speeds)
        yield NOISE_REMOTE(port=port) if is_remote else NOISE(port=port, speeds=speeds)
    elif is_remote:
        yield GOOD_REMOTE(port=port, mode=verdict.mode, quality=_percent(heard.quality))
    else:
        yield GOOD(port=port, mode=verdict.mode, speed=verdict.speeds[0], quality=_percent(heard.quality))
    if heard.quality is not None and heard.quality < _GOOD:
        yield POOR(port=port, quality=heard.quality)


def _percent(quality: int | None) -> str:
    return "?" if quality is None else str(quality)


# --- by our bridge -------------------------------------------------------------------------------


def judge_bridge(bridge: Bridge, number: int) -> Finding:
    """What our bridge says of the meter that stands at this place of the configuration."""
    info = bridge.info
    if not bridge.online or info is None or number >= len(info.meters):
        return BRIDGE_UNHEARD()
    return _judge_counts(info.meters[number])


def _judge_counts(counts: MeterCounts) -> Finding:
    if counts.online:
        if counts.link_quality is not None and counts.link_quality < _GOOD:
            return POOR(port=counts.meter, quality=counts.link_quality)
        return BRIDGE_GOOD(quality=_percent(counts.link_quality))
    return BRIDGE_TROUBLED(why=counts.trouble) if counts.trouble else BRIDGE_WAITS()
