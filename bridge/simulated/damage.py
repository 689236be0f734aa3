"""Damages a frame as bad wiring does."""

from __future__ import annotations

import random


def corrupt(frame: bytes, rng: random.Random) -> bytes:
    """One to three of: a flipped bit, a lost character, a doubled one, two groups merged by a stretch that was lost."""
    damaged = bytearray(frame)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(damaged))
        kind = rng.random()
        end = damaged.find(b"\r\n", at)
        if kind < 0.1 and end >= 0:
            del damaged[max(1, end - rng.randint(0, 9)) : end + 2 + rng.randint(0, 9)]
        elif kind < 0.3 and len(damaged) > 1:
            del damaged[at]
        elif kind < 0.45:
            damaged.insert(at, damaged[at])
        else:
            damaged[at] ^= 1 << rng.randrange(7)
    return bytes(damaged)
