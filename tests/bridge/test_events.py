"""What happens once: each case is a row of frames, and the events of the last one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from bridge.checked import Checked, Event
from bridge.events import KINDS, Beginnings, Events
from bridge.tic.models import Historique, Reading, Standard
from bridge.tic.values import Value
from tests.bridge.heard import checked
from tests.bridge.wire import METER

OTHER = "041961000002"
STANDARD = Standard(sinsts=530)


@dataclass
class Watched:
    """The events of one line, and a clock."""

    now: float = 0.0
    events: Events = field(default_factory=Events)

    def take(
        self, derived: Mapping[str, Value] | None = None, reading: Reading = STANDARD, *,
        meter: str = METER, after: float = 1.0, gone: tuple[str, ...] = (), own: tuple[Event, ...] = (),
    ) -> list[Event]:  # fmt: skip
        self.now += after
        frame: Checked = checked(reading, self.now, meter)._replace(events=own)
        return self.events.take(frame, derived or {}, gone)


BEGUN = [
    (
        {"tariff_index": 1, "tariff_period": "HEURE CREUSE"},
        {"tariff_index": 2, "tariff_period": "HEURE PLEINE"},
        Event("tariff_change", {"before": 1, "after": 2, "tariff_period": "HEURE PLEINE"}),
    ),
    (
        {"over_power": False},
        {"over_power": True, "power_used_percent": 104},
        Event("over_power", {"power_used_percent": 104}),
    ),
    ({}, {"over_power": True}, Event("over_power", {})),  # historique: ADPS was never sent before
    (
        {"breaker_seconds_to_trip": None},
        {"breaker_seconds_to_trip": 120, "breaker_margin": -400},
        Event("trip_risk", {"seconds": 120, "margin": -400}),
    ),
    ({"peak_notice": None}, {"peak_notice": "pm2"}, Event("peak_notice", {"peak": "pm2"})),
    ({"peak_notice": "pm1"}, {"peak_notice": "pm2"}, Event("peak_notice", {"peak": "pm2"})),
]


@pytest.mark.parametrize(("before", "after", "event"), BEGUN)
def test_what_begins_is_said_once(before: dict[str, Value], after: dict[str, Value], event: Event) -> None:
    line = Watched()
    assert [line.take(before), line.take(after), line.take(after)] == [[], [event], []]
    assert event.kind in KINDS


@pytest.mark.parametrize(("before", "after", "event"), BEGUN)
def test_what_the_first_frame_shows_may_be_old_news(
    before: dict[str, Value], after: dict[str, Value], event: Event
) -> None:
    assert event not in Watched().take(after)


def test_a_value_that_a_frame_lacks_is_compared_when_it_comes_again() -> None:
    line = Watched()
    line.take({"tariff_index": 1})
    assert line.take({}) == []
    assert line.take({"tariff_index": 2}) == [Event("tariff_change", {"before": 1, "after": 2})]


def test_an_index_that_became_unknown_is_no_change_of_tariff() -> None:
    line = Watched()
    line.take({"tariff_index": 1})
    assert line.take({"tariff_index": None}) == []


def test_a_load_at_the_edge_of_the_breaker_is_one_risk() -> None:
    line = Watched()
    line.take({})
    seconds: list[Value] = [90, None, 95, None, 93]
    said = [line.take({"breaker_seconds_to_trip": left}, after=20.0) for left in seconds]
    assert [bool(events) for events in said] == [True, False, False, False, False]
    line.take({"breaker_seconds_to_trip": None})
    assert line.take({"breaker_seconds_to_trip": 90}, after=60.0) == [Event("trip_risk", {"seconds": 90})]


def test_the_notice_of_a_mobile_peak_in_mode_historique_counts_minutes() -> None:
    line = Watched()
    quiet, noticed = Historique(papp=530), Historique(papp=530, pejp=30)
    notice = [Event("peak_notice", {"minutes": 30})]
    assert [line.take({}, frame) for frame in (quiet, noticed, quiet, noticed)] == [[], notice, [], []]
    line.take({}, quiet, gone=("pejp",))
    assert line.take({}, noticed) == notice


def test_another_meter_is_said_under_its_own_name() -> None:
    line = Watched()
    line.take({"tariff_index": 1, "over_power": False})
    change = Event("meter_change", {"before": METER, "after": OTHER})
    assert line.take({"tariff_index": 2, "over_power": True}, meter=OTHER) == [change]


def test_another_mode_numbers_its_tariffs_anew() -> None:
    line = Watched()
    line.take({"tariff_index": 1}, Historique(papp=530))
    assert line.take({"tariff_index": 2}) == [Event("mode_switch", {"before": "historique", "after": "standard"})]


def test_what_the_guard_saw_is_handed_on() -> None:
    reset = Event("index_reset", {"field": "east", "before": 900, "after": 3})
    assert Watched().take(own=(reset,)) == [reset]


def test_a_comparison_goes_on_where_it_was_left() -> None:
    before = Beginnings()
    assert before.take({"tariff_index": 1, "breaker_seconds_to_trip": 90}, 0.0) == []
    after = Beginnings(before.values, before.at_risk)
    assert after.take({"tariff_index": 2, "breaker_seconds_to_trip": 80}, 30.0) == [
        Event("tariff_change", {"before": 1, "after": 2})
    ]
