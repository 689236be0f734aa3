"""One Home Assistant, one broker, one bridge with every simulated meter, for all tests of this folder."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests.broker.conftest import Broker, Ear, Program
from tests.real_homeassistant import meters
from tests.real_homeassistant.home import HomeAssistant, wait_until

# What needs a house that nothing happened to comes first; what takes it apart, last.
_ORDER: Final = (
    "test_statistics",
    "test_entities",
    "test_recorder",
    "test_ready_made",
    "test_availability",
    "test_details",
    "test_backfill",
)
_CAPTURES: Final = Path(__file__).parent.parent / "captures"
WEEKEND: Final = "weekend"  # a meter with three indexes, that the supplier made up


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places = {f"{__package__}.{name}": place for place, name in enumerate(_ORDER)}
    items.sort(key=lambda item: places.get(item.module.__name__, -1) if isinstance(item, pytest.Function) else -1)


class House:
    """All of it, and what was published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broker = Broker(folder)
        self.broker.start()
        self.ear = Ear(self.broker.port)
        self.home = HomeAssistant(folder, self.broker.port)
        self.home.start()
        self.bridges: list[Program] = []
        self.weekend = meters.Recording(_CAPTURES / "std_mono_hc_weekend.tic")
        recorded = {"source": self.weekend.source, "mode": "standard", "id": WEEKEND}
        self.bridge("simulated", [*({"source": source} for source in meters.SIMULATED.values()), recorded])
        self.since = time.time()
        self.began = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()  # the first row's start lies before us

    def bridge(self, bridge_id: str, configured: list[dict[str, Any]]) -> Program:
        program = meters.bridge(self.folder, self.broker.port, bridge_id, configured)
        self.bridges.append(program)
        return program

    def announced(self, meter: str) -> dict[str, dict[str, Any]]:
        """The components of a meter's newest description."""
        text = self.ear.last().get(f"homeassistant/device/linky_{meter}/config")
        components: dict[str, dict[str, Any]] = json.loads(text)["components"] if text else {}
        return components

    def published(self, meter: str) -> dict[str, str]:
        """Key -> the newest text on the topic of a component."""
        last = self.ear.last()
        return {
            key: last[topic]
            for key, component in self.announced(meter).items()
            if (topic := component.get("state_topic", "")) in last
        }

    def close(self) -> None:
        for program in self.bridges:
            program.stop()
        self.weekend.close()
        self.home.stop()
        self.ear.close()
        self.broker.stop()


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    whole = House(tmp_path_factory.mktemp("house"))
    yield whole
    whole.close()


@pytest.fixture(scope="session")
def settled(house: House) -> House:
    """Every meter was announced, and had time for what it does not say at once."""
    wanted = [meters.meter_of(source) for source in meters.SIMULATED.values()] + [WEEKEND]
    wait_until(lambda: all(house.announced(meter) for meter in wanted), 60, "every meter is announced")
    wait_until(lambda: time.time() - house.since > 30, 60, "the first half minute is over")
    return house


@pytest.fixture(autouse=True)
def _quiet(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test makes Home Assistant complain of us."""
    if getattr(request.module, "OWN_HOUSE", False):  # it looks after that itself
        yield
        return
    house: House = request.getfixturevalue("house")
    allowed = getattr(request.module, "ALLOWED", ())
    before = house.home.complaints()
    yield
    assert [line for line in house.home.complaints(allowed) if line not in before] == []


def pause(seconds: float) -> None:
    """Let the world go on."""
    threading.Event().wait(seconds)
