"""What the guard lets through: address, indexes and plausibility in one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.guard import Checked, Event, Guard, Memory, Moment
from bridge.tic.decode import Decoded, Decoder
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Reading, Standard
from tests.bridge.wire import METER, frame, standard

NOON = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
OTHER = "041961000002"


def moment(seconds: float) -> Moment:
    return Moment(NOON + timedelta(seconds=seconds), 1000.0 + seconds)


def decoded(**labels: Any) -> Decoded:  # any label's value
    reading = Standard(**{"adsc": METER, "pcoup": 9, **labels})
    return Decoded(reading, (), frozenset(slug for slug, _ in reading.values()))


def through(guard: Guard, frames: Iterable[Decoded], start: float = 0.0) -> list[Checked]:
    """What leaves the guard when a frame comes each second."""
    return [c for n, f in enumerate(frames) for c in guard.check(f, moment(start + n))]


def values(checked: Iterable[Checked], slug: str = "east") -> list[int | None]:
    return [c.decoded.reading.get(slug) if c.decoded.reading else None for c in checked]


def test_the_first_frame_waits_for_the_second_and_both_leave_whole() -> None:
    guard = Guard()
    first, second = decoded(east=500), decoded(east=501)
    assert list(guard.check(first, moment(0))) == []
    assert list(guard.check(second, moment(1))) == [
        Checked(first, METER, moment(0), clock=0.0),
        Checked(second, METER, moment(1), clock=1.0),
    ]
    third = decoded(east=502)
    assert list(guard.check(third, moment(2))) == [Checked(third, METER, moment(2), clock=2.0)]


def test_a_configured_meter_waits_as_well() -> None:
    guard = Guard("cave")
    assert values(through(guard, [decoded(east=500, adsc=None)])) == []
    assert values(through(guard, [decoded(east=501, adsc=None)], 1)) == [500, 501]


def test_a_first_index_that_the_second_frame_contradicts_is_withheld() -> None:
    assert values(through(Guard(), [decoded(east=9500), decoded(east=501), decoded(east=502)])) == [None, None, 502]


def test_a_value_that_was_withheld_is_named_as_changed_when_it_is_believed() -> None:
    guard = Guard()
    through(guard, [decoded(east=500), decoded(east=500)])
    reset = Standard(adsc=METER, pcoup=9, east=20)
    changed, same = Decoded(reset, (), frozenset({"east"})), Decoded(reset, (), frozenset())
    left = through(guard, [changed, same, same, same], 2)
    assert values(left) == [None, None, 20, 20]
    assert [sorted(c.decoded.changed) for c in left] == [[], [], ["east"], []]
    assert [c.events for c in left] == [
        (), (), (Event("index_reset", {"field": "east", "before": 500, "after": 20}),), (),
    ]  # fmt: skip


def test_an_address_that_was_withheld_is_named_as_changed_when_it_is_back() -> None:
    guard = Guard()
    true = Standard(adsc=METER, pcoup=9)
    through(guard, [Decoded(true), Decoded(true)])
    flipped = Decoded(Standard(adsc=OTHER, pcoup=9), (), frozenset({"adsc"}))
    left = through(guard, [flipped, Decoded(true, (), frozenset())], 2)
    assert [sorted(c.decoded.changed) for c in left] == [[], ["adsc"]]


def test_another_meter_starts_its_own_count() -> None:
    guard = Guard()
    through(guard, [decoded(east=50_000), decoded(east=50_001)])
    left = through(guard, [decoded(adsc=OTHER, east=7), decoded(adsc=OTHER, east=8)], 2)
    assert values(left) == [7, 8]
    assert left[0].events == (Event("meter_change", {"before": METER, "after": OTHER}),)


def test_a_frame_with_nothing_valid_passes_by() -> None:
    guard = Guard()
    noise = Decoded(None, (Refused("", "x", Reason.SHAPE),))
    assert list(guard.check(noise, moment(0))) == [Checked(noise, None, moment(0), clock=0.0)]


# --- memory --------------------------------------------------------------------------------------


def remembered() -> Memory:
    memory: Memory = {}
    guard = Guard(memory=memory)
    through(guard, [decoded(east=500), decoded(east=501)])
    guard.remember()
    return memory


def test_what_was_believed_is_remembered_with_its_time() -> None:
    assert remembered() == {METER: {"east": (501, NOON + timedelta(seconds=1))}}
    memory: Memory = {}
    Guard(memory=memory).remember()
    assert memory == {}


def test_an_index_that_was_not_seen_lately_is_remembered_with_the_time_when_it_was() -> None:
    memory: Memory = {}
    guard = Guard(memory=memory)
    through(guard, [decoded(east=500), decoded(east=501), *[decoded(sinsts=1)] * 8])
    guard.remember()
    assert memory == {METER: {"east": (501, NOON + timedelta(seconds=1))}}


def test_a_source_that_ends_while_the_first_frame_waits_forgets_nothing() -> None:
    memory: Memory = {"cave": {"east": (501, NOON)}}
    guard = Guard("cave", memory)
    assert list(guard.check(decoded(adsc=None, east=502), moment(60))) == []
    guard.remember()
    assert memory == {"cave": {"east": (501, NOON)}}


def test_a_memory_of_this_very_moment_counts() -> None:
    left = through(Guard(memory=remembered()), [decoded(east=90), decoded(east=90)], 1.0)
    assert values(left) == [None, None]


def test_a_new_guard_goes_on_where_the_last_one_stopped() -> None:
    # ten minutes later at 9 kVA: at most 3000 Wh, and the rounding
    late = 601.0
    fits = through(Guard(memory=remembered()), [decoded(east=3503), decoded(east=3503)], late)
    too_far = through(Guard(memory=remembered()), [decoded(east=3600), decoded(east=3600)], late)
    assert (values(fits), values(too_far)) == ([3503, 3503], [None, None])


def test_a_memory_from_the_future_tells_nothing() -> None:
    past = through(Guard(memory=remembered()), [decoded(east=90), decoded(east=90)], -600.0)
    assert values(past) == [90, 90]


def test_a_meter_that_comes_back_is_remembered() -> None:
    guard = Guard()
    through(guard, [decoded(east=500), decoded(east=501)])
    through(guard, [decoded(adsc=OTHER, east=7), decoded(adsc=OTHER, east=8)], 2)
    back = through(guard, [decoded(east=502), decoded(east=503)], 4)
    assert (values(back), back[0].decoded.refused) == ([502, 503], ())


def test_no_more_than_sixteen_meters_are_remembered_and_the_newest_of_them() -> None:
    memory: Memory = {}
    guard = Guard(memory=memory)
    addresses = [f"{n:012}" for n in range(20)]
    for n, address in enumerate(["000000000000", *addresses, "000000000007"]):
        through(guard, [decoded(adsc=address, east=500), decoded(adsc=address, east=501)], 2 * n)
    guard.remember()
    assert list(memory) == [*addresses[4:7], *addresses[8:], addresses[7]]


def test_recorded_frames_are_given_the_time_that_the_line_took() -> None:
    guard = Guard()
    frames = [decoded(east=500 + 7 * n) for n in range(5)]
    left = [c for f in frames for c in guard.check(f, moment(0), seconds=2.3)]
    assert values(left) == [500, 507, 514, 521, 528]


# --- the end of a stream -------------------------------------------------------------------------


def test_the_end_gives_back_what_waits() -> None:
    guard = Guard()
    list(guard.check(decoded(east=500), moment(0)))
    assert [(c.meter, values([c])) for c in guard.flush()] == [(None, [500])]
    named = Guard("cave")
    list(named.check(decoded(east=500, adsc=None), moment(0)))
    assert [(c.meter, values([c])) for c in named.flush()] == [("cave", [None])]
    assert list(named.flush()) == []


def test_a_meter_that_spoke_once_before_another_is_not_lost() -> None:
    guard = Guard("cave")
    list(guard.check(decoded(sinsts=1, adsc=None), moment(0)))
    assert values(guard.flush(), "sinsts") == [1]


# --- impossible power ----------------------------------------------------------------------------

GARBAGE: dict[str, int] = {  # a real Sagemcom three-phase meter: SINSTS is right, its parts are not
    "sinsts": 1407, "sinsts1": 48370, "sinsts2": 17742, "sinsts3": 41187,
    "irms1": 2, "irms2": 2, "irms3": 2, "urms1": 237, "urms2": 238, "urms3": 235,
}  # fmt: skip


def left_over(labels: dict[str, int]) -> tuple[Reading | None, tuple[Refused, ...]]:
    left = through(Guard(), [decoded(**labels), decoded(**labels)])
    return left[1].decoded.reading, left[1].decoded.refused


def test_power_that_voltage_and_current_exclude_is_dropped_and_the_sum_kept() -> None:
    kept = {slug: value for slug, value in GARBAGE.items() if not slug.startswith("sinsts") or slug == "sinsts"}
    assert left_over(GARBAGE) == (
        Standard(adsc=METER, pcoup=9, **kept),  # type: ignore[arg-type]  # the slugs are labels of numbers
        (
            Refused("SINSTS1", "48370", Reason.POWER),
            Refused("SINSTS2", "17742", Reason.POWER),
            Refused("SINSTS3", "41187", Reason.POWER),
        ),
    )


def test_a_meter_without_an_address_cannot_send_it_either() -> None:
    guard = Guard()
    assert list(guard.check(decoded(adsc=None, **GARBAGE), moment(0))) == []
    [left] = guard.flush()
    assert [refused.label for refused in left.decoded.refused] == ["SINSTS1", "SINSTS2", "SINSTS3"]
    assert left.meter is None
    assert values([left], "sinsts") == [1407]


def test_power_that_fits_is_kept_even_when_the_sum_does_not() -> None:
    # phase 2 draws 568 VA while the others inject: the whole draws 13
    labels = {**GARBAGE, "sinsts": 13, "sinsts1": 0, "sinsts2": 568, "sinsts3": 0}
    assert left_over(labels)[1] == ()


def test_the_limit_leaves_room_for_a_current_rounded_down() -> None:
    fits = {**GARBAGE, "sinsts1": 782, "sinsts2": 0, "sinsts3": 0}
    assert left_over(fits)[1] == ()
    assert left_over({**fits, "sinsts1": 783})[1] == (Refused("SINSTS1", "00783", Reason.POWER),)


def test_power_at_the_very_limit_is_kept() -> None:
    assert left_over({"sinsts1": 1100, "urms1": 100, "irms1": 9})[1] == ()
    assert left_over({"sinsts1": 1101, "urms1": 100, "irms1": 9})[1] != ()


def test_a_phase_that_cannot_be_judged_is_believed() -> None:
    labels = {slug: value for slug, value in GARBAGE.items() if slug not in ("urms2", "irms3")}
    assert [refused.label for refused in left_over(labels)[1]] == ["SINSTS1"]


# --- with the decoder ----------------------------------------------------------------------------


def test_an_unchanged_group_that_was_withheld_is_published_after_all() -> None:
    decoder, guard = Decoder(), Guard()
    wire = [frame(standard("ADSC", METER), standard("EAST", f"{east:09}")) for east in (500, 500, 20, 20, 20, 20)]
    left = [c for n, f in enumerate(wire) for c in guard.check(decoder.decode(f), moment(n))]
    assert values(left) == [500, 500, None, None, 20, 20]
    assert ["east" in c.decoded.changed for c in left] == [True, False, False, False, True, False]
