"""The body of reading messages, written from what changed, against the same written whole."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.body import Body
from bridge.config import MeterSettings, PublishSettings
from bridge.envelope import Envelope
from bridge.guard import Moment
from bridge.line import Line
from bridge.meter import Bridge, Meter
from bridge.simulated.contract import Contract
from bridge.simulated.meter import SimulatedMeter
from bridge.simulated.plan import Plan
from bridge.tic.catalogue import BY_SLUG, Mode
from bridge.tic.models import Reading, Standard
from bridge.tic.values import DayProfile, read_stamp, to_json
from bridge.topics import Message, Topics
from tests.bridge.heard import EPOCH
from tests.bridge.wire import METER

HEAD: dict[str, str | int] = {"v": 1, "meter": METER}
START = datetime(2026, 11, 21, 21, 50, tzinfo=UTC)  # an off-peak period begins soon


def written(body: Body, *gone: str) -> dict[str, Any]:  # a JSON object
    told: dict[str, Any] = json.loads(body.write(HEAD, gone))
    return told


def whole(reading: Reading) -> dict[str, Any]:  # as above
    """What a reading says, without a memory."""
    values = {slug: to_json(value) for slug, value in reading.values() if not BY_SLUG[slug].personal}
    return {
        **HEAD,
        "values": values,
        "derived": {},
        "stamps": {slug: stamp.raw for slug, stamp in reading.stamps.items()},
        "extra": dict(reading.extra),
    }


def test_the_first_frame_is_written_whole() -> None:
    reading = Standard(
        adsc=METER, sinsts=530, smaxsn=2110, prm="01234567890123", pjourf_next=DayProfile("0000C001 06208002"),
        stamps={"smaxsn": read_stamp("h260115090032")}, extra={"GAZ": 'a "quoted" é'},
    )  # fmt: skip
    body = Body(personal=False)
    body.update(reading, None, {"over_power": False, "tempo_today": None}, ())
    assert written(body) == {**whole(reading), "derived": {"over_power": False, "tempo_today": None}}


def test_what_is_personal_stays_here_unless_its_owner_lets_it_out() -> None:
    body = Body(personal=True)
    body.update(Standard(prm="01234567890123"), None, {}, ())
    assert written(body)["values"] == {"prm": "01234567890123"}


def test_then_only_what_changed_is_written_anew() -> None:
    body = Body(personal=False)
    body.update(Standard(sinsts=530, east=7), None, {"over_power": False}, ())
    # A value that changed and is not said to have: nobody looks at it.
    body.update(Standard(sinsts=540, east=8), frozenset({"sinsts"}), {"over_power": True}, {"over_power"})
    assert (written(body)["values"], written(body)["derived"]) == ({"sinsts": 540, "east": 7}, {"over_power": True})


def test_a_label_that_is_not_there_any_more_is_not_written_any_more() -> None:
    body = Body(personal=False)
    stamps = {"smaxsn": read_stamp("H260115090032")}
    body.update(Standard(sinsts=530, smaxsn=7, stamps=stamps), None, {}, ())
    body.update(Standard(sinsts=540), frozenset({"sinsts"}), {}, ())
    assert written(body) == whole(Standard(sinsts=540))


def test_what_stopped_is_null_once() -> None:
    body = Body(personal=False)
    body.update(Standard(sinsts=530), None, {}, ())
    assert (written(body, "dpm1")["values"], written(body)["values"]) == (
        {"sinsts": 530, "dpm1": None},
        {"sinsts": 530},
    )


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("contract", Contract)
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_whatever_a_meter_sends_and_a_line_damages_the_text_is_that_of_the_whole_reading(
    mode: Mode, contract: Contract, share: float
) -> None:
    bodies: list[str] = []
    derived: list[dict[str, Any]] = []

    def accept(_meter: str, _seq: int, _at: float, body: str) -> bool:
        bodies.append(body)
        derived.append({slug: to_json(value) for slug, value in meter._derived._values.items()})
        return True

    def send(_: Message) -> bool:
        return True

    meter = Meter(Bridge("pi", EPOCH, Topics()), MeterSettings(), PublishSettings(), 0.0, send, accept=accept)
    plan = Plan(contract, mode, 3, producer=mode is Mode.STANDARD)
    simulated, line, now, rng = SimulatedMeter(plan, START), Line(), START, random.Random(3)
    expected = []
    for _ in range(120):
        frame = bytearray(simulated.frame(now))
        now += timedelta(seconds=7)
        if rng.random() < share:
            place = rng.randrange(len(frame))
            frame[place] ^= 1 << rng.randrange(7)
        for checked in line.feed(bytes(frame), Moment(now, (now - START).total_seconds())):
            reading = checked.decoded.reading
            before = len(bodies)
            meter.take(checked)
            if len(bodies) > before and reading is not None:
                expected.append(whole(reading))
    told = [json.loads(body) for body in bodies]
    assert len(told) > 60
    for one, other in zip(told, expected, strict=True):
        # What stopped stands there as null; its own tests look at that.
        values = {slug: value for slug, value in one["values"].items() if value is not None}
        assert (values, one["stamps"], one["extra"]) == (
            {slug: value for slug, value in other["values"].items() if value is not None},
            other["stamps"],
            other["extra"],
        )
        Envelope.model_validate_json(json.dumps({**one, "floor": 1}))
    assert [one["derived"] for one in told] == derived
