"""What the owner sees when a cable, the bridge, the broker or Home Assistant goes away, and when it comes back."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from itertools import permutations
from typing import Final

import pytest

from bridge.meter import SILENCE
from bridge.simulated.contract import Contract
from bridge.simulated.plan import Plan
from tests.broker.conftest import Program
from tests.real_homeassistant.conftest import House, pause
from tests.real_homeassistant.home import wait_until
from tests.real_homeassistant.meters import Line
from tests.real_homeassistant.test_entities import different

pytestmark = [pytest.mark.real_homeassistant, pytest.mark.slow]

# What Home Assistant says when a test takes the broker away.
ALLOWED: Final = ("MQTT server", "[paho.mqtt.client] failed to receive on socket")
PLAN: Final = Plan(Contract.HCHP, seed=301)
METER: Final = PLAN.meter_id
AT_ONCE: Final = 2.0  # seconds
PARTS: Final = ("broker", "bridge", "home")


class Lived:
    """A line and its bridge, in a house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.line = Line(PLAN)
        self.program: Program | None = None
        self._mark = 0

    def start(self) -> None:
        self.program = self.house.bridge("lived", [{"source": self.line.source}])

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.program is not None:
            self.program.stop(number)

    def is_gone(self) -> bool:
        """Every entity is unavailable."""
        return set(self.house.home.shown(METER).values()) == {"unavailable"}

    def is_off_line(self) -> bool:
        """Every entity is unavailable but the one that says why."""
        states = self.house.home.shown(METER)
        return states.pop("connected") == "off" and set(states.values()) == {"unavailable"}

    def is_right(self) -> bool:
        """Every entity is there, and says what the bridge published last."""
        states = self.house.home.shown(METER)
        return bool(states) and "unavailable" not in states.values() and not different(self.house, METER)

    def published(self) -> bool:
        """The power was, since `mark`."""
        return f"linky/{METER}/sinsts" in (topic for topic, _ in self.house.ear.heard[self._mark :])

    def is_back(self) -> bool:
        """Everything is as it should be, by what was published since `mark`."""
        return self.published() and self.is_right()

    def mark(self) -> None:
        """What is published counts from now on."""
        self._mark = len(self.house.ear.heard)


@pytest.fixture(scope="module")
def lived(settled: House) -> Iterator[Lived]:
    whole = Lived(settled)
    whole.start()
    wait_until(whole.is_right, 60, "the meter is shown")
    yield whole
    whole.stop()
    whole.line.close()


def tell(capsys: pytest.CaptureFixture[str], what: str, seconds: float) -> None:
    with capsys.disabled():
        print(f"\n{seconds:6.1f} s  {what}")  # noqa: T201  the result


def test_a_killed_bridge_takes_its_entities_away_at_once(lived: Lived, capsys: pytest.CaptureFixture[str]) -> None:
    lived.stop(signal.SIGKILL)
    tell(capsys, "bridge killed -> unavailable", wait_until(lived.is_gone, AT_ONCE, "unavailable", step=0.1))
    lived.mark()
    lived.start()
    tell(capsys, "bridge started -> right", wait_until(lived.is_back, 30, "back"))


def test_a_port_that_vanished_takes_them_away_and_gives_them_back(
    lived: Lived, capsys: pytest.CaptureFixture[str]
) -> None:
    lived.line.unplug()
    tell(capsys, "unplugged -> unavailable", wait_until(lived.is_off_line, SILENCE + 5, "off line"))
    pause(10)
    lived.mark()
    lived.line.plug()
    tell(capsys, "plugged in -> right", wait_until(lived.is_back, 45, "back"))


def test_a_wire_that_came_off_takes_them_away_and_gives_them_back(
    lived: Lived, capsys: pytest.CaptureFixture[str]
) -> None:
    lived.line.mute(mute=True)
    tell(capsys, "silent -> unavailable", wait_until(lived.is_off_line, SILENCE + 5, "off line"))
    lived.mark()
    lived.line.mute(mute=False)
    tell(capsys, "heard again -> right", wait_until(lived.is_back, 45, "back"))


def test_a_stopped_bridge_takes_its_entities_away(lived: Lived) -> None:
    lived.stop()
    wait_until(lived.is_gone, AT_ONCE, "unavailable")
    lived.start()
    wait_until(lived.is_right, 30, "back")


@pytest.mark.parametrize("order", [pytest.param(order, id=" ".join(order)) for order in permutations(PARTS)])
def test_any_order_of_restarts_ends_right(lived: Lived, capsys: pytest.CaptureFixture[str], order: list[str]) -> None:
    """The broker keeps nothing on disk: whatever is retained is lost with it."""
    house = lived.house
    stops = {"broker": house.broker.stop, "bridge": lived.stop, "home": house.home.stop}
    starts = {"broker": house.broker.start, "bridge": lived.start, "home": house.home.start}
    for part in reversed(order):
        stops[part]()
    lived.mark()
    for part in order:
        starts[part]()
        pause(1)
    began = time.monotonic()
    wait_until(lived.is_back, 90, f"right states after {order}")
    tell(capsys, f"all stopped, then {', '.join(order)} started -> right", time.monotonic() - began)


@pytest.mark.parametrize("part", PARTS)
def test_a_single_restart_ends_right(lived: Lived, capsys: pytest.CaptureFixture[str], part: str) -> None:
    house = lived.house
    one = {
        "broker": (house.broker.stop, house.broker.start),
        "bridge": (lived.stop, lived.start),
        "home": (house.home.stop, house.home.start),
    }
    stop, start = one[part]
    stop()
    pause(3)
    if part != "home":  # which the bridge answers with everything, a few seconds later
        lived.mark()
    start()
    seconds = wait_until(lived.is_back, 60, f"right states after {part}")
    tell(capsys, f"{part} restarted -> right", seconds)
