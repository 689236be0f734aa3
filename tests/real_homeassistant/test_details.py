"""The entities that are disabled at first: an owner who enables them all gets values, and no complaint."""

from __future__ import annotations

import pytest

from bridge.tic.catalogue import BY_SLUG
from tests.real_homeassistant.conftest import House
from tests.real_homeassistant.home import wait_until
from tests.real_homeassistant.meters import SIMULATED, meter_of
from tests.real_homeassistant.test_entities import different

pytestmark = [pytest.mark.real_homeassistant, pytest.mark.slow]


def test_every_entity_can_be_enabled(settled: House) -> None:
    home = settled.home
    meters = [meter_of(source) for source in SIMULATED.values()]
    for meter in meters:
        for entity in home.entities(meter).values():
            if entity["disabled_by"] is not None:
                home.call("config/entity_registry/update", entity_id=entity["entity_id"], disabled_by=None)

    def wrong() -> dict[str, object]:
        states = home.states()
        missing = {
            meter: absent
            for meter in meters
            if (absent := [
                key for key, entity in home.entities(meter).items()
                if entity["entity_id"] not in states or states[entity["entity_id"]]["state"] == "unavailable"
            ])
        }  # fmt: skip
        return {**missing, **{f"{meter} says": said for meter in meters if (said := different(settled, meter))}}

    # Home Assistant loads them half a minute after the last one was enabled.
    wait_until(lambda: not wrong(), 120, "every entity is there", step=5, instead=wrong)
    states = home.states()
    for meter in meters:
        entities = home.entities(meter)
        units = {k: states[e["entity_id"]]["attributes"].get("unit_of_measurement") for k, e in entities.items()}
        assert {k: unit for k, unit in units.items() if k in BY_SLUG} == {
            k: BY_SLUG[k].unit or None for k in units if k in BY_SLUG
        }
