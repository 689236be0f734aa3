"""A message whose arrival at the broker is waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from bridge.topics import Message

_FAILURE: Final = 128  # MQTT 5 reason codes from here on


class Confirmed:
    """`confirm` hears of each PUBACK, on the broker's thread."""

    def __init__(self, patience: float = 5.0) -> None:
        self._patience = patience
        self._one = threading.Lock()  # one message at a time
        self._news = threading.Condition()
        self._reasons: dict[int, int] = {}  # since the message was posted, by packet id
        self._is_waiting = False

    def send(self, post: Callable[[Message], int | None], message: Message) -> bool:
        """Whether the broker has it. `post` sends with QoS 1 and gives the packet's id, or None."""
        with self._one:
            with self._news:
                self._reasons.clear()
                self._is_waiting = True
            try:
                if (mid := post(message)) is None:
                    return False
                with self._news:
                    self._news.wait_for(lambda: mid in self._reasons, self._patience)
                    return self._reasons.get(mid, _FAILURE) < _FAILURE
            finally:
                self._is_waiting = False

    def confirm(self, mid: int, reason: int) -> None:
        """A PUBACK came."""
        if self._is_waiting:
            with self._news:
                self._reasons[mid] = reason
                self._news.notify_all()
