"""The part *clock*: whether this machine knows what time it is."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bridge import BUILT
from bridge.clock import APART, is_plausible
from storage.operations.fleet import Bridge
from ticbridge.commands.check.finding import Finding, Words, failed, ok, warning
from ticbridge.commands.check.scene import Scene

_UNSYNCHRONISED: Final = 5  # TIME_ERROR of adjtimex(2)
_ROOM: Final = 1024  # bytes: more than a struct timex on any machine

RIGHT = ok("clock-right", "The clock is synchronised", "L'horloge est synchronisée")
AS_METER = ok(
    "clock-as-meter",
    "The clock agrees with the meter's within {seconds} s",
    "L'horloge s'accorde avec celle du compteur à {seconds} s près",
)
PAST = failed(
    "clock-past",
    Words(
        "The clock shows {now}, which is before this program was made",
        "a Raspberry Pi has no clock of its own, and the network has not told it the time yet",
        "connect it to the network, and look at timedatectl; readings wait until then, and are dated back",
    ),
    Words(
        "L'horloge montre {now}, avant que ce programme existe",
        "un Raspberry Pi n'a pas d'horloge à lui, et le réseau ne lui a pas encore donné l'heure",
        "reliez-le au réseau, et voyez timedatectl ; les relevés attendent jusque-là, et sont datés ensuite",
    ),
)
UNSYNCHRONISED = warning(
    "clock-unsynchronised",
    Words(
        "The clock is not synchronised by the network",
        "no time server can be reached, or nothing asks one",
        "sudo timedatectl set-ntp true; behind a firewall, let UDP port 123 out",
    ),
    Words(
        "L'horloge n'est pas synchronisée par le réseau",
        "aucun serveur de temps n'est joignable, ou rien n'en interroge",
        "sudo timedatectl set-ntp true ; derrière un pare-feu, laissez sortir le port UDP 123",
    ),
)
APART_FROM_METER = failed(
    "clock-apart",
    Words(
        "The clock is {seconds} s {way} the meter's",
        "this machine's clock is wrong; the meter's is set by the network of Enedis, and says itself when it is not",
        "sudo timedatectl set-ntp true; until then readings are dated by the meter (clock: meter)",
    ),
    Words(
        "L'horloge a {seconds} s d'écart avec celle du compteur",
        "celle d'ici est fausse ; celle du compteur est réglée par le réseau d'Enedis, et dit quand elle ne l'est pas",
        "sudo timedatectl set-ntp true ; d'ici là, les relevés sont datés par le compteur (clock: meter)",
    ),
)
BY_METER = failed(
    "clock-bridge",
    Words(
        "Our bridge dates readings by the meter, because this machine's clock is wrong",
        "it has differed by more than 10 s for a minute, or it stepped",
        "sudo timedatectl set-ntp true",
    ),
    Words(
        "Notre passerelle date les relevés par le compteur, car l'horloge de cette machine est fausse",
        "elle diffère de plus de 10 s depuis une minute, ou a sauté",
        "sudo timedatectl set-ntp true",
    ),
)


def look(scene: Scene) -> Iterator[Finding]:
    """The kernel's word, the calendar's, and the meter's where one was heard."""
    # Without a configuration nobody visited the broker.
    bridge = Bridge() if scene.problems else scene.visit.bridge
    words = [meter.clock for meter in bridge.info.meters] if bridge.online and bridge.info else []
    yield from judge(scene.now, is_synchronised(), scene.apart, by_meter="meter" in words)


def is_synchronised() -> bool | None:
    """Whether the kernel's clock is disciplined, whoever does it (timesyncd, chrony, ntpd); None: it does not say."""
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_ROOM))  # modes 0: only asks
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _UNSYNCHRONISED


def judge(
    now: datetime, synchronised: bool | None, apart: timedelta | None, *, by_meter: bool = False
) -> Iterator[Finding]:
    """What that means. `apart`: the host's clock less the meter's."""
    if not is_plausible(now):
        yield PAST(now=f"{now:%Y-%m-%d}", built=BUILT)
    elif synchronised is False:
        yield UNSYNCHRONISED()
    else:
        yield RIGHT()
    if apart is not None:
        seconds = round(apart.total_seconds())
        if abs(seconds) > APART:
            yield APART_FROM_METER(seconds=abs(seconds), way="ahead of" if seconds > 0 else "behind")
        else:
            yield AS_METER(seconds=abs(seconds))
    elif by_meter:
        yield BY_METER()
