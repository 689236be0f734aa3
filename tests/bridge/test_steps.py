"""Can an index have come this far?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bridge.checked import Checked, Event, Moment
from bridge.steps import INDEXES, Count, Steps
from bridge.tic.catalogue import BY_SLUG, Quantity
from bridge.tic.decode import Decoded
from bridge.tic.errors import Reason, Refused
from bridge.tic.models import Historique, Reading, Standard

MOMENT = Moment(datetime(2026, 1, 15, 12, 0, tzinfo=UTC), 0.0)


def frame(clock: float, reading: Reading) -> Checked:
    """A frame in which every label changed."""
    slugs = frozenset(slug for slug, _ in reading.values())
    return Checked(Decoded(reading, (), slugs), "cave", MOMENT, clock=clock)


def standard(clock: float, **labels: Any) -> Checked:  # any label's value
    return frame(clock, Standard(pcoup=9, **labels))


def through(steps: Steps, *frames: Checked) -> list[int | None]:
    """EAST of each frame as it leaves, None where it was withheld."""
    return [steps.check(f).decoded.reading.get("east") for f in frames]  # type: ignore[union-attr]  # all have one


def known(value: int = 1000, at: float = 0.0) -> Steps:
    return Steps({"east": Count(value, at)})


def test_what_the_breaker_allows_is_believed() -> None:
    # 9 kVA for 10 s are 25 Wh; twice that, and 2 Wh of rounding
    assert through(known(), standard(10, east=1052)) == [1052]


def test_what_it_does_not_allow_is_withheld_with_its_raw_text() -> None:
    checked = known().check(standard(10, east=1053, sinsts=230))
    assert checked == frame(10, Standard(pcoup=9, sinsts=230))._replace(
        decoded=Decoded(
            Standard(pcoup=9, sinsts=230),
            (Refused("EAST", "000001053", Reason.INDEX),),
            frozenset({"pcoup", "sinsts"}),
        )
    )


def test_an_index_never_falls() -> None:
    assert through(known(), standard(10, east=999)) == [None]


def test_a_withheld_value_does_not_hide_the_next_true_one() -> None:
    assert through(known(), standard(1, east=9000), standard(2, east=1003)) == [None, 1003]


def test_two_further_frames_make_a_reset_and_say_so() -> None:
    steps = known()
    frames = [steps.check(standard(n, east=20 + n)) for n in range(1, 5)]
    assert [f.decoded.reading and f.decoded.reading.get("east") for f in frames] == [None, None, 23, 24]
    assert [f.events for f in frames] == [
        (), (), (Event("index_reset", {"field": "east", "before": 1000, "after": 23}),), (),
    ]  # fmt: skip


def test_values_that_contradict_each_other_are_never_believed() -> None:
    wild = [standard(n, east=value) for n, value in enumerate((9000, 50, 70000, 3, 9001, 60), start=1)]
    assert through(known(), *wild, standard(8, east=1010)) == [None] * 6 + [1010]


def test_the_longer_an_index_was_not_seen_the_further_it_may_have_come() -> None:
    steps = known(at=-3600)
    # an hour at 9 kVA, twice
    assert through(steps, standard(0, east=1000 + 18_002)) == [1000 + 18_002]


def test_time_counts_from_the_last_frame_that_said_the_index_even_unchanged() -> None:
    steps = known()
    said = Standard(pcoup=9, east=1000)
    for n in range(1, 3600):
        steps.check(Checked(Decoded(said, (), frozenset()), "cave", MOMENT, clock=float(n)))
    # an hour of silence of this index is no room for an hour's energy
    assert through(steps, frame(3600, said.revised({"east": 1100}, {}))) == [None]


def test_an_index_that_is_missing_for_a_while_may_have_counted_meanwhile() -> None:
    steps = known()
    for n in range(1, 61):
        steps.check(standard(n, sinsts=230))
    assert through(steps, standard(61, east=1300)) == [1300]


def test_a_withheld_index_has_the_time_since_it_was_believed() -> None:
    steps = known()
    assert through(steps, *(standard(n, east=7000 * n) for n in (10, 20, 30))) == [None, None, None]
    assert through(steps, standard(40, east=1200)) == [1200]


def test_an_index_seen_for_the_first_time_waits_for_a_second_frame() -> None:
    steps = Steps()
    first = steps.check(standard(0, east=500))
    assert first.decoded.refused == (Refused("EAST", "000000500", Reason.UNCONFIRMED),)
    assert steps.check(standard(1, east=501)) == standard(1, east=501)


def test_what_is_withheld_is_named_in_the_tables_order() -> None:
    indexes = {f"easf{n:02}": n for n in range(10, 0, -1)}
    refused = Steps().check(standard(0, **indexes, east=500)).decoded.refused
    assert [r.label for r in refused] == ["EAST", *(f"EASF{n:02}" for n in range(1, 11))]


def test_the_following_frame_confirms_the_first_at_once() -> None:
    agrees = Steps().check(standard(0, east=500), Standard(east=501))
    contradicts = Steps().check(standard(0, east=500), Standard(east=77))
    silent = Steps().check(standard(0, east=500), Standard(sinsts=3))
    assert [c.decoded.reading.get("east") for c in (agrees, contradicts, silent)] == [500, None, None]  # type: ignore[union-attr]  # as above


def test_the_subscribed_power_limits_a_historique_meter() -> None:
    # 30 A x 200 V = 6 kVA: 10 s are 16.7 Wh, twice that and the rounding 35
    def papp(value: int, phases: int) -> list[int | None]:
        labels = {"iinst1": 1, "iinst2": 1, "iinst3": 1} if phases == 3 else {"iinst": 1}
        reading = Historique.model_validate({"isousc": 30, "base": value} | labels)
        return [known().check(frame(10, reading)).decoded.reading.get("base")]  # type: ignore[union-attr]  # as above

    assert papp(1035, 1) == [1035]
    assert papp(1036, 1) == [None]
    assert papp(1036, 3) == [1036]


def test_without_either_the_largest_meter_is_assumed() -> None:
    assert through(known(), frame(10, Standard(east=1202))) == [1202]
    assert through(known(), frame(10, Standard(east=1203))) == [None]


def test_no_meter_draws_more_than_the_largest_whatever_its_limit_says() -> None:
    # 36 kVA for 10 s are 100 Wh
    def after(reading: Reading) -> int | None:
        return through(known(), frame(10, reading))[0]

    assert after(Standard(pcoup=99, east=1202)) == 1202
    assert after(Standard(pcoup=99, east=1203)) is None
    three = Historique(isousc=99, iinst1=1, iinst2=1, iinst3=1, base=1202)
    assert known().check(frame(10, three)).decoded.refused == ()
    assert len(known().check(frame(10, three.revised({"base": 1203}, {}))).decoded.refused) == 1


def test_the_limit_is_what_the_breaker_lets_through_to_the_watt_hour() -> None:
    # 9 kVA for 1000 s are 2500 Wh; 30 A x 200 V x 3 phases for 10 s are 50
    assert through(known(), standard(1000, east=6002)) == [6002]
    assert through(known(), standard(1000, east=6003)) == [None]
    three = Historique(isousc=30, iinst1=1, iinst2=1, iinst3=1, base=1102)
    assert known().check(frame(10, three)).decoded.refused == ()
    assert len(known().check(frame(10, three.revised({"base": 1103}, {}))).decoded.refused) == 1


def test_less_than_a_second_is_not_a_second() -> None:
    assert through(known(), standard(0.1, east=1002)) == [1002]
    assert through(known(), standard(0.1, east=1003)) == [None]


def test_each_index_of_a_frame_is_judged_for_itself() -> None:
    slugs = [f"easf{n:02}" for n in range(1, 11)]
    steps = Steps(dict.fromkeys(slugs, Count(100, 0.0)))
    steps.check(standard(1, **dict.fromkeys(slugs, 100)))
    checked = steps.check(standard(2, **{slug: 101 if n % 2 else 9000 for n, slug in enumerate(slugs)}))
    assert checked.decoded.reading == Standard(pcoup=9, easf02=101, easf04=101, easf06=101, easf08=101, easf10=101)


def test_an_index_that_begins_does_not_fall_either() -> None:
    steps = known(1)
    assert through(steps, standard(1, east=1), standard(2, east=0), standard(3, east=1)) == [1, None, 1]


def test_an_index_that_comes_back_unchanged_is_believed() -> None:
    steps = known()
    assert through(steps, standard(1, east=1001), standard(2), standard(3, east=1001)) == [1001, None, 1001]


def test_an_index_that_a_meter_leaves_out_may_count_meanwhile() -> None:
    steps = known()
    through(steps, standard(1, east=1001), *(standard(n, sinsts=n) for n in range(2, 62)))
    assert through(steps, standard(62, east=1300)) == [1300]


def test_a_doubt_goes_on_counting_from_when_it_was_seen() -> None:
    seen = [standard(1, east=1001), *(standard(n, east=7000 * n) for n in (10, 20, 30))]
    assert through(known(), *seen, standard(40, east=1190)) == [1001, None, None, None, 1190]


def test_frames_that_agree_are_no_further_apart_than_the_breaker_allows() -> None:
    # 52 Wh in ten seconds
    fits = [standard(10 * n, east=9000 + 52 * n) for n in range(1, 4)]
    assert through(known(), *fits) == [None, None, 9156]
    leaps = [standard(n, east=value) for n, value in ((10, 9000), (20, 9053), (30, 9060), (40, 9061))]
    assert through(known(), *leaps) == [None, None, None, 9061]


def test_a_true_value_ends_a_doubt() -> None:
    seen = [standard(n, east=value) for n, value in enumerate((9000, 1003, 9001, 9002, 9003), start=1)]
    assert through(known(), *seen) == [None, 1003, None, None, 9003]


def test_injected_energy_that_starts_anew_is_limited_by_the_largest_meter() -> None:
    steps = Steps({"eait": Count(5000, 0.0)})
    reset = [steps.check(standard(10 * n, eait=200 * n)).decoded.reading for n in range(1, 4)]
    assert [reading.get("eait") for reading in reset if reading] == [None, None, 600]
    first = Steps().check(standard(0, eait=0), Standard(eait=1202))
    assert (first.decoded.refused, first.events) == ((), ())


def test_first_values_agree_when_a_minute_could_lie_between_them() -> None:
    # 9 kVA for 60 s are 150 Wh
    fits = Steps().check(standard(0, east=500), Standard(east=802))
    leaps = Steps().check(standard(0, east=500), Standard(east=803))
    assert (fits.decoded.refused, len(leaps.decoded.refused)) == ((), 1)


def test_injected_energy_is_not_limited_by_what_may_be_drawn() -> None:
    steps = Steps({"eait": Count(0, 0.0)})
    assert steps.check(standard(10, eait=200)).decoded.refused == ()


def test_a_change_of_the_cut_off_power_counts_at_once() -> None:
    steps = known()
    steps.check(standard(1, east=1001))
    raised = frame(11, Standard(pcoup=36, east=1150))
    assert through(steps, raised) == [1150]


def test_a_power_of_nothing_is_no_limit() -> None:
    # a standby output, or a supply that is cut: what was known stays, and without that the largest meter
    steps = known()
    steps.check(standard(1, east=1001))
    assert through(steps, frame(11, Standard(pcoup=0, east=1053))) == [1053]
    assert through(steps, frame(21, Standard(pcoup=0, east=1106))) == [None]
    assert known().check(frame(10, Historique(isousc=0, base=1202))).decoded.refused == ()


def test_a_meter_that_changes_mode_counts_on() -> None:
    steps = Steps({"east": Count(1000, 0.0), "easf01": Count(400, 0.0)})
    switched = steps.check(frame(1, Historique(isousc=45, hchc=401, hchp=5)))
    assert switched.decoded.refused == (Refused("HCHP", "000000005", Reason.UNCONFIRMED),)
    assert steps.check(frame(2, Historique(isousc=45, base=9))).decoded.refused[0].reason is Reason.INDEX


def test_what_is_believed_can_be_carried_over() -> None:
    steps = Steps({"east": Count(1000, 0.0), "easf09": Count(7, 0.0)})
    steps.check(standard(10, east=1001))
    assert steps.believed() == {"east": Count(1001, 10.0), "easf09": Count(7, 0.0)}


def test_every_counting_label_is_guarded() -> None:
    counting = {Quantity.ENERGY, Quantity.REACTIVE_ENERGY}
    assert {BY_SLUG[slug].quantity for slug in INDEXES} == counting
    assert len(INDEXES) == 1 + 2 + 2 + 6 + 1 + 10 + 4 + 1 + 4


@given(st.lists(st.tuples(st.floats(0.5, 30), st.integers(0, 999_999_999)), max_size=40))
def test_whatever_comes_what_leaves_only_rises_but_at_a_reset(seen: list[tuple[float, int]]) -> None:
    steps, clock, last = known(), 0.0, 1000
    for seconds, value in seen:
        clock += seconds
        checked = steps.check(standard(clock, east=value))
        assert checked.decoded.reading is not None
        out = checked.decoded.reading.get("east")
        if out is None:
            continue
        assert out == value
        assert checked.events or out - last >= 0
        last = out
