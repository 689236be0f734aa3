"""A message is sent when the broker says so."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bridge.topics import Message
from storage.publishing import Confirmed

MESSAGE = Message("linky/021861000001/alert", "{}", retain=False, qos=1)


def posting(confirmed: Confirmed, mid: int | None, *acks: tuple[int, int]) -> Callable[[Message], int | None]:
    """A broker that acknowledges so, before `post` returns."""

    def answer() -> None:
        for ack in acks:
            confirmed.confirm(*ack)

    def post(message: Message) -> int | None:
        assert message == MESSAGE
        thread = threading.Thread(target=answer)
        thread.start()
        thread.join()
        return mid

    return post


@pytest.mark.parametrize(
    ("mid", "acks", "arrived"),
    [
        (7, [(7, 0)], True),
        (7, [(7, 16)], True),  # it has it, and nobody listens
        (7, [(5, 0), (7, 0)], True),
        (7, [(5, 0)], False),
        (7, [], False),
        (7, [(7, 135)], False),  # not authorized
        (None, [], False),
    ],
)
def test_it_arrived_when_its_own_number_came_back_without_a_reason(
    mid: int | None, acks: list[tuple[int, int]], arrived: bool
) -> None:
    confirmed = Confirmed(patience=0.01)
    assert confirmed.send(posting(confirmed, mid, *acks), MESSAGE) is arrived


def test_an_answer_to_an_earlier_message_counts_for_none() -> None:
    confirmed = Confirmed(patience=0.01)
    confirmed.confirm(7, 0)
    assert not confirmed.send(posting(confirmed, 7), MESSAGE)


def test_an_answer_that_comes_later_is_waited_for() -> None:
    confirmed = Confirmed(patience=20.0)
    later: list[threading.Timer] = []

    def post(_: Message) -> int:
        later.append(threading.Timer(0.05, confirmed.confirm, (7, 0)))
        later[0].start()
        return 7

    assert confirmed.send(post, MESSAGE)
    later[0].join()
