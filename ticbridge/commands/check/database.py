"""The part *database*: whether it is there and up to date, whether readings arrive, and what waits for it.

It is opened for reading only. Where Django is not installed, only what waits at the bridge is looked at.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from bridge.config import CONFIG_VARIABLE, ConfigError, Settings
from storage.operations.fleet import BridgeInfo, Fleet
from ticbridge.commands.check.finding import Finding, Words, failed, ok, skipped, warning
from ticbridge.commands.check.scene import Scene

if TYPE_CHECKING:
    from storage.budget import Room

_BACKLOG: Final = 1000  # readings; less is what a slow batch leaves
_STATE_DIR: Final = "TICBRIDGE_BRIDGE__STATE_DIR"

GOOD = ok("database-good", "The database is up to date", "La base est à jour")
FRESH = ok(
    "database-fresh",
    "The newest reading was stored {seconds} s ago",
    "Le dernier relevé a été enregistré il y a {seconds} s",
)
NOT_HERE = skipped(
    "database-not-here",
    "The store is not installed here (pip install 'ticbridge[store]')",
    "Le stockage n'est pas installé ici (pip install 'ticbridge[store]')",
)
NONE_YET = warning(
    "database-none-yet",
    Words(
        "There is no database {file} yet",
        "`ticbridge store` never ran, or with another storage.database",
        "start it (sudo systemctl enable --now ticbridge-store): it makes the database",
    ),
    Words(
        "Il n'y a pas encore de base {file}",
        "`ticbridge store` n'a jamais tourné, ou avec un autre storage.database",
        "lancez-le (sudo systemctl enable --now ticbridge-store) : il crée la base",
    ),
)
UNUSABLE = failed(
    "database-unusable",
    Words(
        "The database cannot be used ({why})",
        "it is off, damaged or no database, its password is wrong, or this user may not read it",
        "look at storage.database; as the service's user: sudo -u ticbridge ticbridge check",
    ),
    Words(
        "La base est inutilisable ({why})",
        "elle est éteinte, abîmée ou n'en est pas une, son mot de passe est faux, ou cet utilisateur ne peut la lire",
        "vérifiez storage.database ; sous l'utilisateur du service : sudo -u ticbridge ticbridge check",
    ),
)
BEHIND = failed(
    "database-behind",
    Words(
        "The database is not up to date with this version",
        "ticbridge was updated, and the store has not run since",
        "sudo systemctl restart ticbridge-store, or ticbridge manage migrate",
    ),
    Words(
        "La base n'est pas à jour avec cette version",
        "ticbridge a été mis à jour, et le stockage n'a pas tourné depuis",
        "sudo systemctl restart ticbridge-store, ou ticbridge manage migrate",
    ),
)
EMPTY = warning(
    "database-empty",
    Words(
        "No reading was stored yet",
        "the store or the bridge is not running, or only since a moment",
        "look at the other parts; `ticbridge store` says what it stores",
    ),
    Words(
        "Aucun relevé n'a encore été enregistré",
        "le stockage ou la passerelle ne tourne pas, ou depuis peu",
        "voyez les autres parties ; `ticbridge store` dit ce qu'il enregistre",
    ),
)
STALE = warning(
    "database-stale",
    Words(
        "No reading was stored for {minutes} minutes",
        "the bridge, the broker or the store stands still",
        "the part that failed here is the one; journalctl -u 'ticbridge-*' -n 50",
    ),
    Words(
        "Aucun relevé n'a été enregistré depuis {minutes} minutes",
        "la passerelle, le serveur MQTT ou le stockage est arrêté",
        "la partie en échec ici est la bonne ; journalctl -u 'ticbridge-*' -n 50",
    ),
)
FULL = warning(
    "database-full",
    Words(
        "The database takes {used} MB, of {budget} MB in storage.budget",
        "readings are kept longer than there is room for",
        "shorten storage.keep, raise reading.interval, or raise storage.budget",
    ),
    Words(
        "La base occupe {used} Mo, sur {budget} Mo de storage.budget",
        "les relevés sont gardés plus longtemps qu'il n'y a de place",
        "raccourcissez storage.keep, augmentez reading.interval, ou storage.budget",
    ),
)
NO_STORE = warning(
    "store-away",
    Words(
        "No store is there: readings wait at the bridge",
        "`ticbridge store` is not running, or reaches another broker",
        "sudo systemctl status ticbridge-store; no reading is lost meanwhile, unless the spool gets full",
    ),
    Words(
        "Aucun stockage n'est là : les relevés attendent à la passerelle",
        "`ticbridge store` ne tourne pas, ou joint un autre serveur MQTT",
        "sudo systemctl status ticbridge-store ; rien n'est perdu entre-temps, sauf si le tampon se remplit",
    ),
)
BACKLOG = warning(
    "store-backlog",
    Words(
        "{depth} readings wait at the bridge for the store",
        "the store was away, or is slower than the meters",
        "it catches up by itself, 200 a second; if the number grows, look at journalctl -u ticbridge-store",
    ),
    Words(
        "{depth} relevés attendent le stockage à la passerelle",
        "le stockage était absent, ou est plus lent que les compteurs",
        "il se rattrape seul, 200 par seconde ; si le nombre grandit, voyez journalctl -u ticbridge-store",
    ),
)
DROPPED = warning(
    "store-dropped",
    Words(
        "The bridge had to drop {dropped} readings that the store never had",
        "spool.max_frames or the disk was full for days; each is a recorded gap",
        "raise spool.max_frames, make room, and look why the store was away",
    ),
    Words(
        "La passerelle a dû abandonner {dropped} relevés que le stockage n'a jamais eus",
        "spool.max_frames ou le disque était plein depuis des jours ; chacun est un trou noté",
        "augmentez spool.max_frames, faites de la place, et cherchez pourquoi le stockage était absent",
    ),
)


class Facts(NamedTuple):
    """What the database says."""

    is_behind: bool
    age: timedelta | None = None  # of the newest reading
    room: Room | None = None


def look(scene: Scene) -> Iterator[Finding]:
    """The database, then what waits for it."""
    if find_spec("django") is None:
        yield NOT_HERE()
    else:
        yield from _of_file(scene, sqlite_file(scene.settings))
    bridge = scene.visit.bridge
    is_expected = find_spec("django") is not None
    yield from judge_queue(bridge.info if bridge.online else None, scene.visit.fleet, is_expected=is_expected)


def _of_file(scene: Scene, file: Path | None) -> Iterator[Finding]:
    try:
        if file is not None:
            file.stat()
    except FileNotFoundError:
        yield NONE_YET(file=file)
    except OSError as error:
        yield UNUSABLE(why=f"{file}: {error.strerror}")
    else:
        yield from _opened(scene)


def sqlite_file(settings: Settings) -> Path | None:
    """The file of SQLite; None for another engine. Read without Django, which would make its folder."""
    parts = urlsplit(settings.storage.database)
    return Path(unquote(parts.path.removeprefix("/"))).expanduser().absolute() if parts.scheme == "sqlite" else None


def _opened(scene: Scene) -> Iterator[Finding]:
    try:
        facts = _ask(scene)
    except ConfigError as error:
        yield UNUSABLE(why=str(error))
        return
    except Exception as error:
        from django.db import Error  # noqa: PLC0415  only where it is installed

        if not isinstance(error, Error):
            raise
        yield UNUSABLE(why=" ".join(str(error).split()))
        return
    yield from judge(facts)


def _load(scene: Scene) -> None:
    if scene.origin is not None:
        os.environ[CONFIG_VARIABLE] = scene.origin
    before = os.environ.get(_STATE_DIR)
    with tempfile.TemporaryDirectory() as folder:
        # Django's settings make a key in the state directory when there is none: not in the owner's.
        os.environ[_STATE_DIR] = folder
        try:
            from storage.opening import open_django  # noqa: PLC0415  Django takes a second, and is an extra

            open_django()
        finally:
            del os.environ[_STATE_DIR]
            if before is not None:
                os.environ[_STATE_DIR] = before


def _ask(scene: Scene) -> Facts:
    _load(scene)
    from django.db import connection  # noqa: PLC0415

    from storage import budget  # noqa: PLC0415
    from storage.migrate import behind  # noqa: PLC0415
    from storage.operations.health import age_of_newest  # noqa: PLC0415

    options = connection.settings_dict["OPTIONS"]
    if connection.vendor == "sqlite":
        options |= {"init_command": "PRAGMA query_only=ON", "timeout": 2}
    else:
        options |= {"connect_timeout": 3, "options": "-c default_transaction_read_only=on -c statement_timeout=3000"}
    try:
        if behind():
            return Facts(is_behind=True)
        return Facts(is_behind=False, age=age_of_newest(), room=budget.measure(scene.settings.storage.budget))
    finally:
        connection.close()


def judge(facts: Facts) -> Iterator[Finding]:
    """What the database's facts mean."""
    from storage.operations.health import SILENT  # noqa: PLC0415  as above

    if facts.is_behind:
        yield BEHIND()
        return
    yield GOOD()
    if facts.age is None:
        yield EMPTY()
    elif facts.age > SILENT:
        yield STALE(minutes=int(facts.age.total_seconds() // 60))
    else:
        yield FRESH(seconds=max(0, int(facts.age.total_seconds())))
    if facts.room is not None and facts.room.is_tight:
        yield FULL(used=facts.room.used // 1_000_000, budget=facts.room.budget // 1_000_000)


def judge_queue(info: BridgeInfo | None, fleet: Fleet, *, is_expected: bool) -> Iterator[Finding]:
    """What waits at our bridge, and whether anybody comes for it; nothing is promised where no store ever was."""
    stores = fleet.stores()
    if info is None or not (stores or is_expected):
        return
    if True not in stores.values():
        yield NO_STORE()
    if stores and info.spool.depth > _BACKLOG:
        yield BACKLOG(depth=info.spool.depth)
    if info.spool.dropped:
        yield DROPPED(dropped=info.spool.dropped)
