"""What `ticbridge setup` finds by itself: the port that speaks TIC, what its meter says, a broker that lets us in."""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Final

from bridge.config import MqttSettings
from bridge.detect import Cause, Verdict
from bridge.guard import Checked, Moment
from bridge.line import Line
from bridge.mqtt import Link
from bridge.port import find_ports
from bridge.source import Source, SourceEnded, SourceError, UnheardError, open_source
from bridge.tic.catalogue import Mode
from bridge.tic.models import Reading

_PATIENCE: Final = 45.0  # seconds for one port: all speeds, then two frames that agree
_BROKER: Final = 8.0  # seconds for a broker to answer, in both versions of MQTT
_FEW: Final = 3  # frames that show a meter


@dataclass
class Heard:
    """A port, and what came from it."""

    port: str
    speed: int | None = None
    meter: str | None = None
    readings: list[Reading] = field(default_factory=list)
    trouble: str = ""  # why it is not a meter's port

    @property
    def is_meter(self) -> bool:
        """Whether two frames agree on an address."""
        return self.meter is not None and bool(self.readings)

    @property
    def mode(self) -> Mode | None:
        """What it speaks."""
        return self.readings[-1].mode if self.readings else None

    def says(self, *slugs: str) -> Any:  # a value of the catalogue, each of its own type
        """The newest value of the first of these that it sent."""
        for slug in slugs:
            for reading in reversed(self.readings):
                if (value := reading.get(slug)) is not None:
                    return value
        return None

    @property
    def phases(self) -> int:
        """1 or 3."""
        return 3 if self.says("irms2", "iinst2", "sinsts2", "urms2") is not None else 1


def ports(given: str) -> list[str]:
    """Where to listen: what was given, else each adapter that is plugged in."""
    return find_ports() if given == "auto" else [given]


def listen(port: str, patience: float = _PATIENCE) -> Heard:
    """Listen until the meter is known, the port is proven silent or noisy, or patience ends."""
    heard = Heard(port)

    def tell(verdict: Verdict, name: str) -> None:
        if verdict.cause is Cause.PROVEN:
            heard.speed = verdict.speeds[0] if verdict.speeds else None
        else:
            heard.trouble = verdict.sentence(name)

    try:
        for frame in _frames(port, tell, patience):
            reading = frame.decoded.reading
            if reading is not None:
                heard.meter = frame.meter or heard.meter
                heard.readings.append(reading)
            if heard.is_meter and len(heard.readings) >= _FEW:
                break
    except (SourceError, UnheardError) as error:
        heard.trouble = str(error)
    if not heard.is_meter and not heard.trouble:
        heard.trouble = f"Frames come on {port}, but no two agree on a meter's address: are the wires tight?"
    return heard


def _frames(port: str, tell: Callable[[Verdict, str], None], patience: float) -> Iterator[Checked]:
    until = monotonic() + patience
    source: Source = open_source(port, None, tell)
    line = Line()
    try:
        while monotonic() < until:
            yield from line.feed(source.read(), Moment(datetime.now(UTC), monotonic()))
    except SourceEnded:
        yield from line.flush()
    finally:
        source.close()


# --- the broker ----------------------------------------------------------------------------------


class _Sentences(logging.Handler):
    """What the link says to its log, for us to say."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def try_broker(settings: MqttSettings) -> str:
    """Connect once; "" when the broker lets us in, else why not."""
    log = logging.getLogger("ticbridge.mqtt")
    ready, sentences = threading.Event(), _Sentences()
    link = Link(settings, f"ticbridge-setup-{uuid.uuid4().hex[:8]}", on_ready=ready.set)
    was = log.propagate
    log.addHandler(sentences)
    log.propagate = False
    link.start()
    try:
        until = monotonic() + _BROKER
        while not ready.wait(0.1) and monotonic() < until and not sentences.said:
            pass
    finally:
        with contextlib.suppress(RuntimeError):
            link.stop()
        log.removeHandler(sentences)
        log.propagate = was
    if ready.is_set():
        return ""
    sentence = sentences.said[0] if sentences.said else f"The broker {link.where} does not answer"
    return (
        sentence.replace(", trying again until it answers", "")
        .replace(" trying again until it answers", "")
        .replace("; trying again", "")
    )
