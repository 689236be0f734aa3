"""A Raspberry Pi that starts in the past: what a meter's bytes become until the network tells the time, and after."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from bridge.checked import Moment
from bridge.config import MeterSettings, PublishSettings
from bridge.handover import Handover
from bridge.line import Line
from bridge.meter import Bridge, Meter
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan
from bridge.spool import Spool
from bridge.tic.catalogue import Mode
from bridge.topics import Message, Topics

TRUE: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)  # the time that it really is when a Pi is started
PAST: Final = datetime(1970, 1, 1, tzinfo=UTC)  # what it believes: it has no clock of its own
EPOCHS: Final = ("11111111-2222-4333-8444-555555555555", "22222222-2222-4333-8444-555555555555")
FRAME: Final = 2  # seconds from one frame to the next


class Pi:
    """A whole bridge but for its threads, beside a simulated meter whose clock, if it says it, is right."""

    def __init__(
        self, folder: Path, mode: Mode, *, start: int = 0, boot: str = "first", epoch: str = EPOCHS[0]
    ) -> None:
        self.passed = start  # true seconds since TRUE
        self.booted = start  # its monotonic clock began there
        self.says = PAST
        self.sent: list[Message] = []
        self.told: list[tuple[str, float]] = []  # of each reading: by which clock, and by how many seconds it is wrong
        topics = Topics()
        self.spool = Spool(folder / "spool.sqlite3", boot=boot, clock=self.monotonic)
        self.handover = Handover(
            self.spool, topics, epoch, self._post, "stored", boot=boot, clock=self.monotonic, now=self.utc
        )
        self.meter = Meter(
            Bridge("pi", epoch, topics), MeterSettings(), PublishSettings(), 0, self._send, accept=self._accept
        )
        self._line = Line()
        self._linky = SimulatedMeter(Plan(mode=mode), self.true())

    def true(self) -> datetime:
        return TRUE + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return 5.0 + self.passed - self.booted

    def utc(self) -> datetime:
        """What the host's clock shows."""
        return self.says + timedelta(seconds=self.passed - self.booted)

    def set_clock(self, *, wrong_by: int = 0) -> None:
        """The network tells the time."""
        self.says = self.true() - timedelta(seconds=self.passed - self.booted - wrong_by)

    def read(self, frames: int) -> None:
        for _ in range(frames):
            self.passed += FRAME
            for frame in self._line.feed(self._linky.frame(self.true()), Moment(self.utc(), self.monotonic())):
                self.meter.take(frame)
            self.turn()

    def turn(self) -> None:
        self.passed += self.handover.turn() < 1

    def connect(self) -> None:
        self.handover.on_connected()
        self.turn()

    def _accept(self, meter: str, seq: int, at: float, body: str) -> bool:
        reading = json.loads(body)
        wrong = datetime.fromisoformat(reading["ts"]) - self.true()
        self.told.append((reading["clock"], wrong.total_seconds()))
        return self.handover.accept(meter, seq, at, body)

    def _post(self, message: Message) -> int:
        self.sent.append(message)
        return len(self.sent)

    def _send(self, message: Message) -> bool:
        self.sent.append(message)
        return True

    def readings(self) -> list[tuple[str, str]]:
        """(`clock`, `ts`) of the reading messages that were sent since the last look."""
        bodies: list[dict[str, Any]] = [json.loads(m.payload) for m in self.sent if m.topic.endswith("/reading")]
        self.sent.clear()
        return [(body["clock"], body["ts"]) for body in bodies]

    def last(self, slug: str) -> list[str]:
        return [message.payload for message in self.sent if message.topic.endswith(f"/{slug}")]


def at(*seconds: int) -> list[str]:
    """True instants, as envelopes write them."""
    return [f"{TRUE + timedelta(seconds=n):%Y-%m-%dT%H:%M:%S}.000Z" for n in seconds]


def test_standard_is_dated_by_the_meter_from_the_first_frame_on(tmp_path: Path) -> None:
    pi = Pi(tmp_path, Mode.STANDARD)
    pi.connect()
    pi.read(4)
    assert pi.readings() == [("meter", ts) for ts in at(2, 4, 6, 8)]
    pi.set_clock()
    pi.read(2)
    assert pi.readings() == [("host", ts) for ts in at(10, 12)]
    pi.spool.close()


def test_historique_waits_and_is_dated_back_once_the_network_told_the_time(tmp_path: Path) -> None:
    pi = Pi(tmp_path, Mode.HISTORIQUE)
    pi.connect()
    pi.read(4)
    assert (pi.last("last_frame"), pi.readings(), pi.spool.depth) == (["None"], [], 4)
    pi.set_clock()
    pi.read(1)
    assert pi.readings() == [("host", ts) for ts in at(2, 4, 6, 8, 10)]
    pi.spool.close()


def test_a_process_that_starts_again_in_the_same_boot_still_dates_them_back(tmp_path: Path) -> None:
    first = Pi(tmp_path, Mode.HISTORIQUE)
    first.read(3)
    first.spool.close()
    again = Pi(tmp_path, Mode.HISTORIQUE, epoch=EPOCHS[1])
    again.passed = first.passed
    again.connect()
    again.read(2)
    assert again.readings() == []
    again.set_clock()
    again.turn()
    assert again.readings() == [("host", ts) for ts in at(2, 4, 6, first.passed + 2, first.passed + 4)]
    again.spool.close()


@pytest.mark.parametrize("boots", [("first", "second"), ("", "")], ids=["named", "unnamed"])
def test_what_was_read_before_a_reboot_is_sent_as_unsure_never_with_a_made_up_time(
    boots: tuple[str, str], tmp_path: Path
) -> None:
    first = Pi(tmp_path, Mode.HISTORIQUE, boot=boots[0])
    first.read(2)
    first.spool.close()
    second = Pi(tmp_path, Mode.HISTORIQUE, start=3600, boot=boots[1], epoch=EPOCHS[1])
    second.connect()
    second.read(2)
    second.set_clock()
    second.turn()
    said = second.readings()
    assert said[:2] == [("unsure", "1970-01-01T00:00:02.000Z"), ("unsure", "1970-01-01T00:00:04.000Z")]
    assert said[2:] == [("host", ts) for ts in at(3602, 3604)]
    second.spool.close()


def test_a_host_that_is_set_to_a_wrong_time_is_overruled_by_the_meter_alone(tmp_path: Path) -> None:
    """An hour wrong, and not from before this program: mode standard knows better, historique cannot."""
    for mode, overruled in ((Mode.STANDARD, ("meter", 0)), (Mode.HISTORIQUE, ("host", 3600))):
        pi = Pi(tmp_path / mode, mode)
        pi.set_clock(wrong_by=3600)
        pi.read(100)
        assert (pi.told[1], pi.told[-1]) == (("host", 3600), overruled)
        pi.set_clock()
        pi.read(100)
        assert pi.told[-1] == ("host", 0)
        pi.spool.close()


def test_a_meter_that_doubts_its_clock_too_makes_them_wait(tmp_path: Path) -> None:
    """A meter whose own clock is degraded says nothing that a host without one could use."""
    pi = Pi(tmp_path, Mode.STANDARD)
    pi._linky = SimulatedMeter(Plan(mode=Mode.STANDARD, degraded=True), pi.true())
    pi.connect()
    pi.read(3)
    assert pi.readings() == []
    pi.set_clock()
    pi.read(1)
    assert pi.readings() == [("host", ts) for ts in at(2, 4, 6, 8)]
    pi.spool.close()
