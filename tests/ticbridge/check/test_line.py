"""The part *line quality*: bytes as a UART hears them, a real port that is pulled out, and the words of a bridge."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from bridge.config import MeterSettings, Settings
from bridge.port import SerialSource
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import BAUD, Mode
from bridge.topics import Topics
from storage.operations.fleet import Bridge, Fleet
from tests.bridge.terminal import Terminal
from tests.bridge.uart import Uart, Wire
from tests.ticbridge.check.provoked import provoked
from ticbridge.commands.check import line
from ticbridge.commands.check.finding import Finding
from ticbridge.commands.check.scene import Place, Scene

PORT: Final = "/dev/ttyUSB0"
NOON: Final = datetime(2026, 11, 21, 12, tzinfo=UTC)

Talk = Callable[[float], tuple[bytes, int]]


@dataclass
class Ear:
    """A port at the end of a wire. Reading it makes time pass."""

    uart: Uart

    def read(self) -> bytes:
        return self.uart.hear(0.25)

    def tune(self, speed: int) -> None:
        self.uart.tune(speed)


def talk(mode: Mode, *, corrupt: float = 0.0, baud: int | None = None) -> Talk:
    """What a meter says at each moment after noon."""
    meter = SimulatedMeter(Plan(mode=mode, corrupt=corrupt), NOON)
    return lambda seconds: (meter.frame(NOON + timedelta(seconds=seconds)), baud or BAUD[mode])


def hear(said: Talk, mode: Mode | None = None, port: str = PORT, *, idle: int = 1, wrong_by: float = 0) -> line.Heard:
    """What is found out about a wire, with a host's clock that is wrong by some seconds."""
    uart = Uart(Wire(said, idle=idle), BAUD[mode or Mode.STANDARD])
    return line.listen(
        Ear(uart), Place(port, mode), line.LONGEST,
        clock=lambda: uart.now, now=lambda: NOON + timedelta(seconds=uart.now + wrong_by),
    )  # fmt: skip


def judged(heard: line.Heard, mode: Mode | None = None, port: str = PORT) -> list[Finding]:
    return list(line.judge(Place(port, mode), heard))


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (Mode.STANDARD, "/dev/ttyUSB0 speaks standard at 9600 baud, 100 % of its groups are good"),
        (Mode.HISTORIQUE, "/dev/ttyUSB0 speaks historique at 1200 baud, 100 % of its groups are good"),
    ],
)
def test_a_good_line_in_each_mode(mode: Mode, said: str) -> None:
    assert [finding.words("en").sentence for finding in judged(hear(talk(mode)))] == [said]


def test_a_line_without_a_signal() -> None:
    [finding] = judged(hear(lambda _: (b"", 9600), None))
    assert provoked("bytes", "no byte, at any speed", finding) == "line-silent"


@pytest.mark.parametrize("wanted", [Mode.STANDARD, Mode.HISTORIQUE])
def test_the_other_mode_than_the_configured_one(wanted: Mode) -> None:
    spoken = Mode.HISTORIQUE if wanted is Mode.STANDARD else Mode.STANDARD
    [finding] = judged(hear(talk(spoken), wanted), wanted)
    assert provoked("bytes", f"mode: {wanted}, a meter that speaks {spoken}", finding) == "line-other-mode"


def test_the_mode_at_another_speed_than_its_own() -> None:
    [finding] = judged(hear(talk(Mode.HISTORIQUE, baud=9600)))
    assert finding.words("en").sentence.startswith("/dev/ttyUSB0 speaks historique at 9600 baud")


def test_an_adapter_that_inverts_the_line() -> None:
    [finding] = judged(hear(talk(Mode.STANDARD), idle=0))
    assert provoked("bytes", "a meter in mode standard, both levels exchanged", finding) == "line-noise"


def test_nothing_but_noise() -> None:
    rng = random.Random(7)
    [finding] = judged(hear(lambda _: (rng.randbytes(200), 4321)))
    assert provoked("bytes", "random bytes at 4321 baud", finding) == "line-noise"


def test_nothing_but_noise_from_a_serial_server() -> None:
    address = "socket://192.168.1.20:2000"
    [finding] = judged(hear(lambda _: (b"noise, not groups", 9600), None, address), None, address)
    assert provoked("bytes", "text that is no TIC, from socket://192.168.1.20:2000", finding) == "line-noise-remote"


def test_a_serial_server_that_speaks_is_not_said_to_have_a_speed() -> None:
    address = "socket://192.168.1.20:2000"
    [finding] = judged(hear(talk(Mode.STANDARD), None, address), None, address)
    assert finding.words("en").sentence == f"{address} speaks standard, 100 % of its groups are good"


def test_a_bad_line() -> None:
    meter = SimulatedMeter(Plan(mode=Mode.STANDARD), NOON)

    def damaged(seconds: float) -> tuple[bytes, int]:
        frame = bytearray(meter.frame(NOON + timedelta(seconds=seconds)))
        for place in range(60, len(frame), 180):
            frame[place] ^= 0x21  # two bits, so that parity holds
        return bytes(frame), 9600

    _, finding = judged(hear(damaged))
    assert provoked("bytes", "a character in each 180 damaged", finding) == "line-poor"


def test_a_terminal_that_is_not_raw() -> None:
    said = talk(Mode.HISTORIQUE)
    [finding] = judged(hear(lambda seconds: (said(seconds)[0].replace(b"\r", b"\n"), 1200)))
    assert provoked("bytes", "CR turned into LF, as a login shell sets a terminal", finding) == "line-not-raw"


def test_the_meters_clock_is_compared_with_ours() -> None:
    apart = hear(talk(Mode.STANDARD), wrong_by=-3600).apart
    assert apart is not None
    assert abs(apart + timedelta(hours=1)) < timedelta(seconds=4)
    assert hear(talk(Mode.HISTORIQUE)).apart is None


def test_a_port_that_is_pulled_out_while_it_is_listened_to() -> None:
    terminal = Terminal.plugged()
    scene = Scene(Settings(meters=[MeterSettings(source=terminal.name)]))
    scene.places[0] = [Place(terminal.name, None, SerialSource(terminal.name))]
    terminal.unplug()
    [finding] = line.look(scene)
    scene.close()
    finding = line.GONE(port="/dev/ttyUSB0", why=finding.facts["why"])
    assert provoked("for real", "the pseudo-terminal is closed while it is listened to", finding) == "line-gone"


def test_without_a_port_there_is_nothing_to_hear() -> None:
    assert [finding.case for finding in line.look(Scene(Settings()))] == [line.NOT_HEARD]


# --- what a bridge says --------------------------------------------------------------------------


def bridge(status: str = "online", **counts: Any) -> Bridge:
    """What `linky/bridge/pi/...` says, heard as the page hears it."""
    meter = {"meter": "021861000001", "source_open": True, "frames": 9, "decoded": 9, "accepted": 9} | counts
    info = {"version": "1", "started": "now", "meters": [meter], "spool": {"depth": 0, "dropped": 0}}
    fleet = Fleet(Topics())
    fleet.hear("linky/bridge/pi/status", status.encode())
    fleet.hear("linky/bridge/pi/info", json.dumps(info).encode())
    return fleet.bridges()["pi"]


def test_a_bridge_that_reads_well() -> None:
    assert line.judge_bridge(bridge(online=True, link_quality=100), 0).case is line.BRIDGE_GOOD


def test_a_bridge_that_reads_a_bad_line() -> None:
    assert line.judge_bridge(bridge(online=True, link_quality=80), 0).case is line.POOR


def test_a_bridge_that_says_what_is_wrong() -> None:
    finding = line.judge_bridge(bridge(trouble="No signal on /dev/ttyUSB0: are I1 and I2 connected, and not A?"), 0)
    done = "linky/bridge/pi/info says that nothing comes"
    assert provoked("stand-in", done, finding) == "line-bridge-troubled"


def test_a_bridge_that_listens_since_a_moment() -> None:
    finding = line.judge_bridge(bridge(meter=None, frames=0), 0)
    assert provoked("stand-in", "linky/bridge/pi/info counts no frame yet", finding) == "line-bridge-waits"


def test_a_bridge_that_is_not_heard() -> None:
    finding = line.judge_bridge(Bridge(), 0)
    assert (
        provoked("stand-in", "our bridge has the port, and the broker says nothing of it", finding)
        == "line-bridge-unheard"
    )
    assert line.judge_bridge(bridge("offline", online=True), 0).case is line.BRIDGE_UNHEARD
    assert line.judge_bridge(bridge(online=True), 1).case is line.BRIDGE_UNHEARD  # a meter that it does not know
