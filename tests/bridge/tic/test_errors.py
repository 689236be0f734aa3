"""What can be wrong with a line."""

from __future__ import annotations

import pytest

from bridge.tic.errors import GroupError, Reason, Refused, TicError


@pytest.mark.parametrize("reason", Reason)
def test_a_group_error_is_a_tic_error_that_says_its_reason(reason: Reason) -> None:
    error = GroupError(reason)
    assert (isinstance(error, TicError), str(error), error.reason) == (True, reason.value, reason)


def test_reasons_are_a_closed_list_of_words() -> None:
    assert [reason.value for reason in Reason] == [
        "shape",
        "parity",
        "checksum",
        "unknown_label",
        "mode",
        "length",
        "characters",
        "stamp",
        "value",
        "repeated",
        "test_frame",
        "unconfirmed",
        "index",
        "power",
        "meter_id",
    ]


def test_a_refusal_is_a_value() -> None:
    assert Refused("PAPP", "00530", Reason.CHECKSUM) == Refused("PAPP", "00530", Reason.CHECKSUM)
