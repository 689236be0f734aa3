"""The part *clock*: the kernel's word, a process whose clock is turned back, a meter that knows better."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bridge.tic.catalogue import Mode
from tests.needs import need_library
from tests.ticbridge.check.provoked import provoked
from tests.ticbridge.check.runs import found, quiet
from tests.ticbridge.check.test_line import hear, talk
from ticbridge.commands.check import clock
from ticbridge.commands.check.finding import Finding

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def judge(synchronised: bool | None = True, apart: timedelta | None = None, **rest: bool) -> list[Finding]:
    return list(clock.judge(NOW, synchronised, apart, **rest))


def test_a_clock_that_is_right() -> None:
    assert [finding.case for finding in judge()] == [clock.RIGHT]
    assert [finding.case for finding in judge(None)] == [clock.RIGHT]  # the kernel does not say


def test_the_kernel_is_asked() -> None:
    assert clock.is_synchronised() in (True, False, None)


def test_a_clock_that_nobody_sets() -> None:
    [finding] = judge(False)
    assert provoked("stand-in", "adjtimex(2) says TIME_ERROR", finding) == "clock-unsynchronised"


def test_a_clock_from_before_this_program(tmp_path: Path) -> None:
    library = need_library("faketime/libfaketime.so.1", "libfaketime")
    said = found(
        tmp_path, quiet(tmp_path), LD_PRELOAD=library, FAKETIME="@2016-06-15 12:00:00", FAKETIME_DONT_FAKE_MONOTONIC="1"
    )
    assert provoked("for real", "the check runs in 2016 (faketime)", said["clock-past"]) == "clock-past"


def test_a_clock_that_is_not_the_meters() -> None:
    for wrong_by, done in ((-3600, "an hour behind"), (90, "a minute and a half ahead of")):
        _, finding = judge(apart=hear(talk(Mode.STANDARD), wrong_by=wrong_by).apart)
        assert finding.case is clock.APART_FROM_METER
        finding = clock.APART_FROM_METER(**{**finding.facts, "seconds": abs(wrong_by)})  # within the frame's second
        assert provoked("bytes", f"a host's clock {done} the meter's DATE", finding) == "clock-apart"
    assert [finding.case for finding in judge(apart=timedelta(seconds=10))] == [clock.RIGHT, clock.AS_METER]


def test_a_bridge_that_does_not_believe_the_clock() -> None:
    _, finding = judge(by_meter=True)
    assert provoked("stand-in", "linky/bridge/pi/info says: clock meter", finding) == "clock-bridge"
