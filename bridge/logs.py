"""How the processes log: one line per change of state, as text or as JSON lines, on standard error.

Text tells the time as the pages do, in the zone of the first meter and with its distance from UTC: a process that holds
Django, which sets a zone of its own, writes the same as one that does not. JSON lines are in UTC.

Two promises hold for every line, whoever writes it. None names a household: of a meter's address or a PRM only the
last four digits are shown, in tracebacks and in what a library says too. And none comes for ever: what repeats itself,
a cable with a loose contact or two bridges that throw each other out of the broker, is said sixty times, then each five
minutes.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from time import monotonic
from typing import Final

from bridge.config import LogSettings

_ADDRESS: Final = re.compile(r"(?<!\d)(?:\d{8}|\d{10})(\d{4})(?!\d)")  # ADCO and ADSC have 12 digits, a PRM has 14
_AT_ONCE: Final = 60  # lines of one kind
_EVERY: Final = 300.0  # seconds for each further one
_KINDS: Final = 500  # that are told apart


def anonymous(text: str) -> str:
    """Of numbers that name a meter or a delivery point only the end."""
    return _ADDRESS.sub(r"...\1", text)


class _Text(logging.Formatter):
    def __init__(self, text: str, zone: tzinfo) -> None:
        super().__init__(text)
        self._zone = zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802  logging's own name
        return datetime.fromtimestamp(record.created, self._zone).isoformat(" ", "seconds")

    def format(self, record: logging.LogRecord) -> str:
        return anonymous(super().format(record))


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "part": record.name.removeprefix("ticbridge."),
            "text": anonymous(record.getMessage()),
        }
        if record.exc_info:
            line["traceback"] = anonymous(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


class Sparing(logging.Filter):
    """Lets lines of one kind pass sixty times, then one each five minutes, which says how many were left out.

    A kind is a place in the program. Lines at debug level pass: who asks for them wants them all.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: OrderedDict[tuple[str, int], _Kind] = OrderedDict()  # the one that spoke last comes last

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether it is written."""
        if record.levelno <= logging.DEBUG:
            return True
        key = (record.pathname, record.lineno)
        kind = self._kinds.setdefault(key, _Kind(self._clock()))
        self._kinds.move_to_end(key)
        if len(self._kinds) > _KINDS:
            self._kinds.popitem(last=False)
        if not kind.takes(self._clock()):
            return False
        if kind.left_out:
            record.msg, record.args = f"{record.getMessage()} ({kind.left_out} more like it were left out)", ()
            kind.left_out = 0
        return True


class _Kind:
    """How many lines may still be written; it fills up with time."""

    def __init__(self, now: float) -> None:
        self.left_out = 0
        self._may = float(_AT_ONCE)
        self._at = now

    def takes(self, now: float) -> bool:
        self._may = min(_AT_ONCE, self._may + (now - self._at) / _EVERY)
        self._at = now
        if self._may < 1:
            self.left_out += 1
            return False
        self._may -= 1
        return True


def set_up(settings: LogSettings, zone: tzinfo) -> None:
    """Send all logs to standard error, at the time of `zone`; under systemd the journal adds the time."""
    handler = logging.StreamHandler(sys.stderr)
    if settings.format == "json":
        handler.setFormatter(_Json())
    else:
        time = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
        handler.setFormatter(_Text(f"{time}%(levelname)s %(name)s: %(message)s", zone))
    handler.addFilter(Sparing())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
