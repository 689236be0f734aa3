"""The part *disk*: room for the spool and the database, on a disk that can hold them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from bridge.mounts import NETWORK, filesystem, mounts
from storage.operations.fleet import BridgeInfo
from ticbridge.commands.check.database import sqlite_file
from ticbridge.commands.check.finding import Finding, Words, failed, ok, warning
from ticbridge.commands.check.scene import Scene

_MARGIN: Final = 2  # times spool.min_free_disk: a warning before it is reached

ROOM = ok("disk-room", "{free} MB are free beside {folder}", "{free} Mo sont libres à côté de {folder}")
LOW = warning(
    "disk-low",
    Words(
        "Only {free} MB are free beside {folder}",
        "other programs' files, logs, old backups; or the database grew",
        "make room (sudo du -xh / | sort -h | tail), before spool.min_free_disk ({least} MB) is reached",
    ),
    Words(
        "Seuls {free} Mo sont libres à côté de {folder}",
        "des fichiers d'autres programmes, des journaux, de vieilles sauvegardes ; ou la base a grandi",
        "faites de la place (sudo du -xh / | sort -h | tail), avant d'atteindre spool.min_free_disk ({least} Mo)",
    ),
)
FULL = failed(
    "disk-full",
    Words(
        "Only {free} MB are free beside {folder}, less than spool.min_free_disk ({least} MB): the spool grows no more",
        "other programs' files, logs, old backups; or the database grew",
        "make room (sudo du -xh / | sort -h | tail), or shorten storage.keep",
    ),
    Words(
        "Seuls {free} Mo sont libres à côté de {folder}, moins que spool.min_free_disk ({least}) : plus de tampon",
        "des fichiers d'autres programmes, des journaux, de vieilles sauvegardes ; ou la base a grandi",
        "faites de la place (sudo du -xh / | sort -h | tail), ou raccourcissez storage.keep",
    ),
)
NETWORKED = failed(
    "disk-network",
    Words(
        "{file} lies on a network disk ({kind}), where SQLite may damage it",
        "its write-ahead log needs memory that machines do not share",
        "move it to a disk of this machine ({key}), or use PostgreSQL (docs/how-to/postgresql.md)",
    ),
    Words(
        "{file} est sur un disque réseau ({kind}), où SQLite peut l'abîmer",
        "son journal (WAL) a besoin d'une mémoire que les machines ne partagent pas",
        "déplacez-le sur un disque de cette machine ({key}), ou prenez PostgreSQL (docs/how-to/postgresql.fr.md)",
    ),
)
READ_ONLY = failed(
    "disk-read-only",
    Words(
        "This user may not write to {folder}",
        "it belongs to another user, or the disk was mounted read-only after an error",
        "sudo -u ticbridge ticbridge check, if the service's user owns it; else look at `dmesg` and at the SD card",
    ),
    Words(
        "Cet utilisateur ne peut pas écrire dans {folder}",
        "il appartient à un autre utilisateur, ou le disque est passé en lecture seule après une erreur",
        "sudo -u ticbridge ticbridge check, s'il est à l'utilisateur du service ; sinon voyez `dmesg` et la carte SD",
    ),
)
SPOOL = failed(
    "disk-spool",
    Words(
        "The bridge cannot write its spool: {why}",
        "the disk is full or read-only, or the file is not the bridge's",
        "make room or mount it anew; readings wait in memory meanwhile, and are sent as soon as it can be written",
    ),
    Words(
        "La passerelle ne peut pas écrire son tampon : {why}",
        "le disque est plein ou en lecture seule, ou le fichier n'est pas à la passerelle",
        "faites de la place ou remontez-le ; les relevés attendent en mémoire, et partent dès qu'il est accessible",
    ),
)


class Spot(NamedTuple):
    """Where something of ours lies. `key` of the configuration says so."""

    key: str
    file: Path


def look(scene: Scene) -> Iterator[Finding]:
    """The state directory, and the database's folder where that is another disk."""
    least = int(scene.settings.spool.min_free_disk)
    spots = [Spot("bridge.state_dir", scene.settings.bridge.state_dir.absolute() / "spool.sqlite3")]
    if (file := sqlite_file(scene.settings)) is not None:
        spots.append(Spot("storage.database", file))
    disks = set()
    for spot in spots:
        folder = _there(spot.file.parent)
        yield from judge_kind(spot, mounts())
        if folder == spot.file.parent and not os.access(folder, os.W_OK):
            yield READ_ONLY(folder=folder)
        if folder.stat().st_dev not in disks:
            disks.add(folder.stat().st_dev)
            yield judge_room(folder, shutil.disk_usage(folder).free, least)
    bridge = scene.visit.bridge
    yield from judge_spool(bridge.info if bridge.online else None)


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there: it is made when it is needed."""
    for place in (folder, *folder.parents):
        with suppress(OSError):  # what lies in a folder that is not ours to enter
            if place.is_dir():
                return place
    return Path("/")


def judge_room(folder: Path, free: int, least: int) -> Finding:
    """Whether what is free will do."""
    case = FULL if free < least else LOW if free < _MARGIN * least else ROOM
    return case(free=free // 1_000_000, folder=folder, least=least // 1_000_000)


def judge_kind(spot: Spot, mounted: Iterable[str]) -> Iterator[Finding]:
    """Whether SQLite can work on that disk."""
    kind = filesystem(spot.file.parent, mounted)
    if kind in NETWORK:
        yield NETWORKED(file=spot.file, kind=kind, key=spot.key)


def judge_spool(info: BridgeInfo | None) -> Iterator[Finding]:
    """Whether our bridge can write."""
    if info is not None and info.spool.trouble:
        yield SPOOL(why=info.spool.trouble)
