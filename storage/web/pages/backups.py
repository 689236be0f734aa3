"""The whole database as one file, for its owner."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Final

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from storage.exchange.backup import back_up, our_file
from storage.exchange.errors import ExchangeError
from storage.occupancy import OccupiedError, locked
from storage.web.pieces import streamed
from storage.web.shown import size

_PIECE: Final = 256 * 1024


@never_cache
@require_POST
def backup(request: HttpRequest) -> HttpResponseBase:
    """A consistent copy, checked, as a download; nothing of it stays here."""
    if not request.user.is_superuser:
        raise PermissionDenied  # it holds everything, password hashes included
    try:
        copy, length = _copy(Path(settings.TICBRIDGE.bridge.state_dir) / "backup")
    except OccupiedError:
        return _refused(request, gettext("Another backup is being made: try again in a minute."))
    except (ExchangeError, OSError) as error:
        return _refused(request, gettext("No backup was made: {why}").format(why=error))
    answer = streamed(request, _pieces(copy))
    answer["Content-Type"] = "application/vnd.sqlite3"
    answer["Content-Length"] = str(length)
    name = f"ticbridge-{timezone.localtime():%Y-%m-%d-%H%M}.sqlite3"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _refused(request: HttpRequest, sentence: str) -> HttpResponse:
    messages.error(request, sentence)
    return redirect("data")


def _copy(folder: Path) -> tuple[IO[bytes], int]:
    """The copy, open and without a name: it is gone when it is sent, or when this process is."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(locked(folder / "lock", fcntl.LOCK_EX | fcntl.LOCK_NB, "taken"))
        for old in folder.glob("*.sqlite3*"):  # of a process that was killed
            old.unlink()
        for part in folder.glob(".*.part"):
            part.unlink()
        needed = settings.TICBRIDGE.spool.min_free_disk + our_file().stat().st_size
        free = shutil.disk_usage(folder).free
        if free < needed:
            text = gettext("the copy needs {needed} of free disk for a while, and {free} are free")
            raise ExchangeError(text.format(needed=size(needed), free=size(free)))
        out = folder / "copy.sqlite3"
        try:
            back_up(out)
            file = out.open("rb")
            return file, out.stat().st_size
        finally:
            for old in folder.glob("*.sqlite3*"):
                old.unlink()


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
