"""Starts `ticbridge` and tampers with it: dies at a named point, hurries, breaks what the suite must notice.

The product has no hooks for tests: everything here is done to its objects from outside, before its own `main` runs.
TAMPERING holds what to do, as JSON:
  {"die": ["point", n], "broker": pid}      SIGKILL at the n-th passing, of the broker at the point that is named so
  {"hurry": {"module.CONSTANT": value}}     waits that would make each cell a minute long
  {"break": "spool" | "order" | "key"}      the three defects by which the suite proves itself
"""

from __future__ import annotations

import faulthandler
import functools
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from ticbridge.__main__ import main, open_rooms


class Point(NamedTuple):
    """A place in the code: before or after a call."""

    module: str
    path: str  # of the function in its module
    after: bool


KILLS_THE_BROKER: Final = "PUBACK, and the broker dies"
POINTS: Final = {
    # in the bridge
    "before the spool's commit": Point("bridge.spool", "Spool.put", after=False),
    "committed, not published": Point("bridge.spool", "Spool.put", after=True),
    "published, no PUBACK": Point("bridge.handover", "Handover._send", after=True),
    KILLS_THE_BROKER: Point("bridge.handover", "Handover.on_published", after=True),
    "watermark received, nothing released": Point("bridge.spool", "Spool.release", after=False),
    # in the store
    "received, not committed": Point("storage.batch", "ingest", after=False),
    "committed, not acknowledged": Point("storage.batch", "ingest", after=True),
    "acknowledged, no watermark": Point("storage.subscriber", "Subscriber._watermark", after=False),
}


def _patch(module: str, path: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    setattr(owner, name, wrap(getattr(owner, name)))


def _die(point: Point, number: int, victim: int) -> None:
    passed = 0
    lock = threading.Lock()

    def kill() -> None:
        nonlocal passed
        with lock:
            passed += 1
            if passed != number:
                return
        os.kill(victim, signal.SIGKILL)

    def wrap(call: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(call)
        def wrapped(*arguments: Any, **named: Any) -> Any:
            if not point.after:
                kill()
            result = call(*arguments, **named)
            if point.after:
                kill()
            return result

        return wrapped

    _patch(point.module, point.path, wrap)


def _hurry(constants: dict[str, Any]) -> None:
    """Exchange constants of modules, also where they became defaults of a class of theirs."""
    for name, value in constants.items():
        module = importlib.import_module(name.rpartition(".")[0])
        constant = name.rpartition(".")[2]
        usual = getattr(module, constant)
        new = tuple(value) if isinstance(value, list) else value
        setattr(module, constant, new)
        for each in vars(module).values():
            start: Any = vars(each).get("__init__") if isinstance(each, type) else None  # a function
            defaults = getattr(start, "__defaults__", None) or ()
            if usual in defaults:
                start.__defaults__ = tuple(new if default is usual else default for default in defaults)


# --- the three defects ---------------------------------------------------------------------------


def _forget_at_once(put: Callable[..., Any]) -> Callable[..., Any]:
    """A spool that keeps nothing."""

    def wrapped(spool: Any, held: Any) -> Any:
        kept = put(spool, held)
        spool.release({held.stream: held.seq})
        return kept

    return wrapped


def _acknowledge_first(handle: Callable[..., Any]) -> Callable[..., Any]:
    """A store that promises before it commits."""

    def wrapped(subscriber: Any, batch: list[Any]) -> Any:
        marks = {}
        for received in batch:
            subscriber._link.ack(received)
            envelope = json.loads(received.payload)
            marks[envelope["meter"], envelope["epoch"]] = envelope["seq"]
        for (meter, epoch), seq in marks.items():
            subscriber._link.send(subscriber._watermark(_Mark(meter, epoch, seq)))
        threading.Event().wait(0.5)  # until it is with the broker
        return handle(subscriber, batch)

    return wrapped


class _Mark(NamedTuple):
    meter: str
    epoch: str
    handled: int


def _insert_always(execute: Callable[..., Any]) -> Callable[..., Any]:
    """A store that does not ask whether a row is there."""

    def wrapped(cursor: Any, statement: str, *arguments: Any) -> Any:
        return execute(cursor, statement.replace("ON CONFLICT (epoch_id, seq) DO NOTHING", ""), *arguments)

    return wrapped


DEFECTS: Final = {
    "spool": ("bridge.spool", "Spool.put", _forget_at_once),
    "order": ("storage.subscriber", "Subscriber._handle", _acknowledge_first),
    "key": ("django.db.backends.utils", "CursorWrapper.execute", _insert_always),
}


def tamper(order: dict[str, Any]) -> None:
    """Do what TAMPERING says."""
    _hurry(order.get("hurry", {}))
    if "break" in order:
        _patch(*DEFECTS[order["break"]])
    if "die" in order:
        name, number = order["die"]
        _die(POINTS[name], number, order["broker"] if name == KILLS_THE_BROKER else os.getpid())


def _tamper_when_ready(order: dict[str, Any]) -> None:
    """The store's modules can be imported only after Django was set up."""
    import django  # noqa: PLC0415  the bridge must not

    set_up = django.setup

    def wrapped(*arguments: Any, **named: Any) -> None:
        set_up(*arguments, **named)
        tamper(order)

    django.setup = wrapped


def _sleep(seconds: Any) -> None:  # a number of whatever kind
    """libfaketime refuses the call that Python's own sleep makes of the system (EINVAL)."""
    threading.Event().wait(seconds)


if __name__ == "__main__":
    if "FAKETIME_TIMESTAMP_FILE" in os.environ:
        time.sleep = _sleep
    faulthandler.register(signal.SIGUSR1)  # a program that does not stop is asked what it does
    open_rooms()
    given = json.loads(os.environ.pop("TAMPERING", "{}"))
    if "store" in sys.argv:
        _tamper_when_ready(given)
    else:
        tamper(given)
    main()
