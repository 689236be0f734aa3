"""A search that was cut short is no proof."""

from __future__ import annotations

import pytest

from tests.model.outcome import HOLDS, STUCK, Outcome, UnclearError, read

_WHOLE = """
(Spin Version 6.5.2 -- 6 December 2019)

Full statespace search for:
	never claim         	- (none specified)
	assertion violations	+
	invalid end states	+

State-vector 116 byte, depth reached 1295, errors: 0
  1103091 states, stored
  9491161 states, matched

pan: elapsed time 8.53 seconds
"""
_LOST = """
pan:1: assertion violated  !(lost) (at depth 6)
pan: wrote handover.pml.trail

(Spin Version 6.5.2 -- 6 December 2019)
Warning: Search not completed

State-vector 124 byte, depth reached 6, errors: 1
       55 states, stored
"""
_CYCLE = """
pan:1: acceptance cycle (at depth 70)

(Spin Version 6.5.2 -- 6 December 2019)
Warning: Search not completed

State-vector 112 byte, depth reached 11713, errors: 1
   130018 states, stored (327958 visited)
"""


@pytest.mark.parametrize(
    ("output", "outcome"),
    [
        (_WHOLE, Outcome(HOLDS, 1_103_091)),
        (_LOST, Outcome("lost", 55, 6)),
        (_CYCLE, Outcome(STUCK, 130_018, 70)),
    ],
)
def test_a_search_that_ended_has_a_verdict(output: str, outcome: Outcome) -> None:
    assert read(output) == outcome


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("", "the verifier did not end"),
        (f"error: max search depth too small\n{_WHOLE}", "max search depth too small"),
        (f"pan: out of memory\n{_WHOLE}", "out of memory"),
        (_WHOLE.replace("Full statespace", "Warning: Search not completed\nFull statespace"), "Search not completed"),
        (_WHOLE.replace("Full", "Bit"), "Bit statespace search"),
        (_WHOLE.replace("errors: 0", "errors: 1"), "errors: 1"),
    ],
)
def test_a_search_that_was_cut_short_has_none(output: str, reason: str) -> None:
    with pytest.raises(UnclearError) as caught:
        read(output)
    assert str(caught.value) == reason
