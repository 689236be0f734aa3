"""Is this still the same meter?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.address import Address
from bridge.checked import Checked, Event, Moment
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Historique, Standard
from tests.bridge.wire import METER

OTHER = "041961000002"
FLIPPED = METER[:-1] + "0"
NOISE = Refused("", "x", Reason.SHAPE)


def moment(number: int) -> Moment:
    return Moment(datetime(2026, 1, 15, 12, 0, number % 60, tzinfo=UTC), float(number))


def frames(addresses: Sequence[str | None]) -> list[Decoded]:
    """A frame for each address: its number is its power; `-` for one without a valid group."""
    return [
        Decoded(None, (NOISE,))
        if address == "-"
        else Decoded(Standard(sinsts=number, adsc=address) if address else Standard(sinsts=number))
        for number, address in enumerate(addresses)
    ]


def checked(decoded: Decoded, number: int) -> Checked:
    return Checked(decoded, None, moment(number))


def told(frames: Iterable[Checked]) -> list[tuple[Any, ...]]:
    """(frame number, meter, address in it, labels refused for their address) of each frame let through."""
    return [
        (
            int(c.at.monotonic),
            c.meter,
            c.decoded.reading and c.decoded.reading.meter_id,
            [r.raw for r in c.decoded.refused if r.reason is Reason.METER_ID],
        )
        for c in frames
    ]


def through(addresses: Sequence[str | None], configured: str | None = None) -> list[tuple[Any, ...]]:
    """What a address lets through, and what it gives back at the end."""
    address = Address(configured)
    let_through = [c for n, decoded in enumerate(frames(addresses)) for c in address.check(checked(decoded, n))]
    return told([*let_through, *address.flush()])


def test_two_frames_in_a_row_name_the_meter_and_the_first_is_not_lost() -> None:
    address = Address()
    first, second, third = frames([METER, METER, METER])
    assert list(address.check(checked(first, 0))) == []
    assert list(address.check(checked(second, 1))) == [
        Checked(first, METER, moment(0)),
        Checked(second, METER, moment(1)),
    ]
    assert list(address.check(checked(third, 2))) == [Checked(third, METER, moment(2))]


def test_frames_before_the_first_address_belong_to_the_meter_that_is_then_named() -> None:
    assert through([None, METER, None, METER]) == [
        (0, METER, None, []),
        (1, METER, METER, []),
        (2, METER, None, []),
        (3, METER, METER, []),
    ]


def test_later_frames_without_an_address_inherit_it() -> None:
    assert through([METER, METER, None]) == [(0, METER, METER, []), (1, METER, METER, []), (2, METER, None, [])]


def test_a_frame_without_a_valid_group_passes_at_once() -> None:
    assert through(["-", METER, "-", METER, "-"]) == [
        (0, None, None, []),
        (2, None, None, []),
        (1, METER, METER, []),
        (3, METER, METER, []),
        (4, METER, None, []),
    ]


def test_one_deviating_address_is_refused_and_the_rest_of_its_frame_kept() -> None:
    address = Address()
    before, _, flipped, after = frames([METER, METER, FLIPPED, METER])
    for n in (0, 1):
        list(address.check(checked(before, n)))
    assert list(address.check(checked(flipped, 2))) == []
    assert list(address.check(checked(after, 3))) == [
        Checked(Decoded(Standard(sinsts=2), (Refused("ADSC", FLIPPED, Reason.METER_ID),)), METER, moment(2)),
        Checked(after, METER, moment(3)),
    ]


def test_a_deviating_address_that_repeats_is_another_meter() -> None:
    address = Address()
    let_through = [
        c
        for n, decoded in enumerate(frames([METER, METER, OTHER, None, OTHER, OTHER]))
        for c in address.check(checked(decoded, n))
    ]
    assert told(let_through) == [
        (0, METER, METER, []),
        (1, METER, METER, []),
        (2, OTHER, OTHER, []),
        (3, OTHER, None, []),
        (4, OTHER, OTHER, []),
        (5, OTHER, OTHER, []),
    ]
    change = Event("meter_change", {"before": METER, "after": OTHER})
    assert [frame.events for frame in let_through] == [(), (), (change,), (), (), ()]


def test_the_meter_is_known_while_nothing_is_in_doubt() -> None:
    address = Address()
    known = []
    for n, decoded in enumerate(frames([METER, METER, FLIPPED, METER, OTHER])):
        known.append(address.knows(decoded.reading))
        list(address.check(checked(decoded, n)))
    known.append(address.knows(Standard(adsc=METER)))
    assert known == [False, False, False, False, False, False]
    list(address.check(checked(frames([METER])[0], 9)))
    assert [address.knows(reading) for reading in (Standard(adsc=METER), Standard(adsc=OTHER), Standard(), None)] == [
        True, False, False, False,
    ]  # fmt: skip


def test_two_different_deviations_are_both_refused() -> None:
    assert through([METER, METER, FLIPPED, OTHER, METER]) == [
        (0, METER, METER, []),
        (1, METER, METER, []),
        (2, METER, None, [FLIPPED]),
        (3, METER, None, [OTHER]),
        (4, METER, METER, []),
    ]


def test_a_frame_whose_meter_cannot_be_told_is_refused_whole() -> None:
    # the first frame's address was damaged: nobody knows yet whose values these are
    address = Address()
    damaged, *good = frames([FLIPPED, METER, METER])
    list(address.check(checked(damaged, 0)))
    assert list(address.check(checked(good[0], 1))) == [
        Checked(Decoded(None, (Refused("ADSC", FLIPPED, Reason.METER_ID),)), None, moment(0))
    ]


def test_a_frame_without_an_address_is_not_refused_with_a_damaged_one() -> None:
    assert through([None, FLIPPED, METER, METER]) == [
        (1, None, None, [FLIPPED]),
        (0, METER, None, []),
        (2, METER, METER, []),
        (3, METER, METER, []),
    ]


def test_a_frame_that_waited_without_an_address_has_none_to_refuse() -> None:
    address = Address()
    numbers = [METER, METER, OTHER, None, METER]
    seen = [c for n, decoded in enumerate(frames(numbers)) for c in address.check(checked(decoded, n))]
    assert [len(c.decoded.refused) for c in seen] == [0, 0, 1, 0, 0]


def test_frames_without_an_address_do_not_wait_for_ever() -> None:
    waiting = through([None] * 20)
    # the four oldest are refused, sixteen still wait and are given back at the end
    assert waiting == [
        *((n, None, None, [""]) for n in range(4)),
        *((n, None, None, []) for n in range(4, 20)),
    ]


def test_a_deviation_that_is_never_settled_does_not_take_the_meters_frames_with_it() -> None:
    assert through([METER, METER, FLIPPED, *[None] * 18, METER]) == [
        (0, METER, METER, []),
        (1, METER, METER, []),
        (2, METER, None, [FLIPPED]),
        *((n, METER, None, []) for n in range(3, 21)),
        (21, METER, METER, []),
    ]


def test_the_end_of_a_stream_gives_back_what_waits() -> None:
    assert through([METER]) == [(0, None, METER, [])]
    assert through([METER, METER, FLIPPED]) == [
        (0, METER, METER, []),
        (1, METER, METER, []),
        (2, METER, None, [FLIPPED]),
    ]
    assert through([]) == []


# --- a meter that the owner named ----------------------------------------------------------------


def test_a_configured_meter_has_its_name_before_it_says_its_address() -> None:
    assert through([None, METER, METER, METER], "cave") == [
        (0, "cave", None, []),
        (1, "cave", METER, []),
        (2, "cave", METER, []),
        (3, "cave", METER, []),
    ]


def test_a_configured_meter_keeps_its_name_when_the_device_is_replaced() -> None:
    assert through([METER, METER, OTHER, OTHER], "cave") == [
        (0, "cave", METER, []),
        (1, "cave", METER, []),
        (2, "cave", OTHER, []),
        (3, "cave", OTHER, []),
    ]


def test_a_configured_meter_refuses_one_deviating_address() -> None:
    assert through([METER, METER, FLIPPED, METER], "cave") == [
        (0, "cave", METER, []),
        (1, "cave", METER, []),
        (2, "cave", None, [FLIPPED]),
        (3, "cave", METER, []),
    ]


def test_a_configured_meter_is_not_stopped_by_a_first_address_that_was_damaged() -> None:
    assert through([FLIPPED, METER, METER], "cave") == [
        (0, "cave", None, [FLIPPED]),
        (1, "cave", METER, []),
        (2, "cave", METER, []),
    ]


# --- properties ----------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([METER, FLIPPED, OTHER, None, "-"]), max_size=60), st.sampled_from([None, "cave"]))
def test_every_frame_comes_out_once(addresses: list[str | None], configured: str | None) -> None:
    assert sorted(number for number, *_ in through(addresses, configured)) == list(range(len(addresses)))


@given(st.lists(st.sampled_from([METER, FLIPPED, OTHER, None, "-"]), max_size=60))
def test_no_meter_is_named_by_an_address_that_no_two_frames_agree_on(addresses: list[str | None]) -> None:
    said = [address for address in addresses if address not in (None, "-")]
    confirmed = {a for a, b in pairwise(said) if a == b}
    assert {meter for _, meter, _, _ in through(addresses) if meter} <= confirmed


@pytest.mark.parametrize("reading", [Historique(adco=METER, papp=530), Standard(adsc=METER, sinsts=530)])
def test_both_modes_have_an_address(reading: Historique | Standard) -> None:
    address = Address()
    let_through = [c for n in range(2) for c in address.check(checked(Decoded(reading), n))]
    assert let_through == [Checked(Decoded(reading), METER, moment(n)) for n in range(2)]


def test_before_anything_was_received_is_long_ago() -> None:
    assert Moment.never() == Moment(datetime(1, 1, 1, tzinfo=UTC), 0.0)
