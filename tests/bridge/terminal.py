"""Both ends of a pseudo-terminal: a test writes to the meter's, the bridge opens the other by its name."""

from __future__ import annotations

import os
import termios
import tty
from dataclasses import dataclass


@dataclass
class Terminal:
    """A port that does not exist. It has no speed: what is written arrives at any."""

    meter: int
    port: int
    name: str

    @classmethod
    def plugged(cls) -> Terminal:
        meter, port = os.openpty()
        tty.setraw(port, termios.TCSANOW)
        return cls(meter, port, os.ttyname(port))

    def write(self, data: bytes) -> None:
        os.write(self.meter, data)

    def unplug(self) -> None:
        if self.meter >= 0:
            os.close(self.meter)
            os.close(self.port)
        self.meter = self.port = -1
