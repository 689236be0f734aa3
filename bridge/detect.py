"""What the bytes of a line say: which mode is spoken, whether the speed is right, and what is wrong when nothing is.

Pure: bytes and the time go in, verdicts come out. The mode is told by the separator and not by the speed, since some
meters send historique at 9600 baud (Enedis-NOI-CPT_02E, PME-PMI and SAPHIR).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from enum import Enum, auto
from typing import Final, NamedTuple

from bridge.tic.catalogue import BAUD, Mode
from bridge.tic.errors import GroupError
from bridge.tic.groups import BAD_PARITY, CR, LF, MAX_GROUP, STX, read_group
from bridge.tic.parity import Parity

SPEEDS: Final = (9600, 1200, 2400, 4800, 19200)  # the likely ones first
LOST: Final = 15.0  # seconds without a valid group after which a line is not understood any more

_PROOF: Final = 2  # groups with a right checksum
_PATIENCE: Final = {9600: 5.0, 1200: 8.0}  # seconds for one speed; a frame takes 3 at most
_PATIENCE_ELSE: Final = 6.0
_LONGER: Final = 3.0  # times as patient where a group was valid: a PME-PMI's frame takes 12 s at 1200 baud
_QUIET: Final = 2.0  # seconds without a byte; between frames there are 0.033
_ENOUGH: Final = 256  # bytes that show whether characters arrive whole
_REST: Final = 5.0  # seconds between two looks at a line that is understood
_KEPT: Final = 8192  # bytes held back while a speed is tried; a frame has 1440 at most

_ENDS: Final = re.compile(rb"[\r\n\x03\x04]")
_FIRST_LABEL: Final = re.compile(rb"[!-~]{2,16}[\t ]")
_SEVEN_BITS: Final = bytes(n & 0x7F for n in range(256))


class Cause(Enum):
    """What was found out about a line."""

    PROVEN = auto()  # it speaks TIC
    SILENT = auto()  # no byte came
    NOISE = auto()  # bytes, but no valid group
    SLOWER = auto()  # as noise, and each character fails: so a line looks that is slower than the port
    OTHER_MODE = auto()  # valid groups, of the mode that was not configured
    NOT_RAW = auto()  # valid groups, but the terminal exchanges or swallows what ends them


class Verdict(NamedTuple):
    """What a line turned out to be. Its sentence tells the owner what, the likely cause, and what to do."""

    cause: Cause
    speeds: tuple[int, ...] = ()  # at which it was listened to; none when the other end chooses
    mode: Mode | None = None  # that was proven
    wanted: Mode | None = None  # that was configured

    @property
    def why(self) -> str:
        """The finding alone, to stand behind a port's name."""
        return {
            Cause.PROVEN: f"speaks {self.mode}",
            Cause.SILENT: "gives no signal",
            Cause.NOISE: "gives no valid group",
            Cause.SLOWER: "gives no valid group",
            Cause.OTHER_MODE: f"speaks {self.mode}",
            Cause.NOT_RAW: "is not raw",
        }[self.cause]

    def sentence(self, port: str) -> str:
        """What to tell the owner of `port`."""
        speed = f" at {self.speeds[0]} baud" if len(self.speeds) == 1 else ""
        return {
            Cause.PROVEN: f"{port} speaks {self.mode}{speed}",
            Cause.SILENT: f"No signal on {port}: are I1 and I2 connected, and not A?",
            Cause.NOISE: self._noise(port, speed),
            Cause.SLOWER: f"No valid group came on {port}{speed}, and every character is damaged, as when the line is "
            f"slower: the meter seems to speak {Mode.HISTORIQUE}: set mode: auto or mode: {Mode.HISTORIQUE}",
            Cause.OTHER_MODE: f"The meter on {port} speaks {self.mode}{speed}, not {self.wanted}: set mode: auto or "
            f"mode: {self.mode}",
            Cause.NOT_RAW: f"The terminal is not raw: on {port} CR and LF are exchanged or ETX is swallowed. Another "
            "program set it so (a login shell on the port, cat, a serial server): stop it, or set the terminal raw "
            "(stty -F PORT raw)",
        }[self.cause]

    def _noise(self, port: str, speed: str) -> str:
        if len(self.speeds) > 1:
            tried = ", ".join(str(speed) for speed in self.speeds)
            return (
                f"Bytes arrive on {port}, but no valid group at any speed (tried {tried} baud): noise, or an inverted "
                "line: check the wires, shorten the cable, or try another adapter"
            )
        if speed:
            return (
                f"Bytes arrive on {port}, but no valid group{speed}: the wrong speed, noise, or an inverted line: "
                "set mode: auto, or check the wires"
            )
        return (
            f"Bytes arrive on {port}, but no valid group: noise, or the wrong speed at the other end: have it read "
            "1200 baud (historique) or 9600 (standard), 7 bits, even parity, and check the wires"
        )


class Evidence:
    """What the bytes heard at one speed prove."""

    def __init__(self) -> None:
        self.heard = 0  # bytes
        self.damaged = 0  # of them, characters whose parity or stop bit failed
        self.valid = Counter[Mode]()  # groups with a right checksum, by their separator
        self._begun = False  # an STX was seen, and then a label
        self._at_stx = False
        self._crs = self._lfs = 0
        self._rest = b""  # the group that is not ended yet
        self._parity = Parity()

    def add(self, piece: bytes) -> None:
        """Hear some more."""
        piece = self._parity.feed(piece)
        self.heard += len(piece)
        self.damaged += piece.count(BAD_PARITY)
        self._crs += piece.count(CR)
        self._lfs += piece.count(LF)
        *lines, rest = _ENDS.split(self._rest + piece)
        self._rest = rest[-MAX_GROUP:]
        for line in lines:
            _, stx, group = line.rpartition(STX)
            self._at_stx |= bool(stx)
            if group:
                self._look(group)

    def proves(self, wanted: Mode | None = None) -> Mode | None:
        """The mode that is proven: by an STX, a first label, and two valid groups (of the wanted mode)."""
        mode = self.speaks(wanted)
        return mode if self._begun else None

    def speaks(self, wanted: Mode | None = None) -> Mode | None:
        """The mode of two valid groups at least."""
        mode, number = wanted, self.valid[wanted] if wanted else 0
        if wanted is None and self.valid:
            [(mode, number)] = self.valid.most_common(1)
        return mode if number >= _PROOF else None

    @property
    def is_raw(self) -> bool:
        """Whether groups end as the meter ends them: a line discipline turns CR into LF, or drops one of them."""
        return not self.valid or bool(self._crs and self._lfs)

    @property
    def is_garbled(self) -> bool:
        """Whether most characters fail: no group could come through, so there is nothing to wait for."""
        return self.heard >= _ENOUGH and self.damaged * 2 >= self.heard and not self.valid

    @property
    def is_slower(self) -> bool:
        """Whether all characters fail. Sampled too fast, each begins with so many low bits that parity or stop fail."""
        return self.heard >= _ENOUGH and self.damaged * 100 >= self.heard * 99

    def _look(self, group: bytes) -> None:
        if self._at_stx and _FIRST_LABEL.match(group):
            self._begun = True
        self._at_stx = False
        with suppress(GroupError):  # the decoder counts what is refused
            self.valid[read_group(group).mode] += 1


class Search:
    """Which of several speeds a line is spoken at. Listen at `speed`, tell what came, and look at `speed` again.

    A speed that proves itself wins. One where nothing comes is left soon and tried again once something came at
    another: the line was only silent then.
    """

    def __init__(self, speeds: Sequence[int], now: float, wanted: Mode | None = None) -> None:
        self._speeds = tuple(speeds)
        self._wanted = wanted
        self._queue = list(speeds)
        self._silent: list[int] = []
        self._woken = False
        self._other: Mode | None = None
        self._next(now)

    def hear(self, piece: bytes, now: float) -> Verdict | None:
        """What is found out, if anything is by now."""
        self._evidence.add(piece)
        self._keep(piece)
        mode = self._evidence.proves(self._wanted)
        if mode is not None:
            return Verdict(Cause.PROVEN, (self.speed,), mode)
        if not self._gives_up(now):
            return None
        return self._leave(now)

    @property
    def kept(self) -> bytes:
        """What was heard at this speed, from the first STX on."""
        return self._kept

    def _gives_up(self, now: float) -> bool:
        evidence, passed = self._evidence, now - self._began
        if not evidence.heard:
            return passed >= _QUIET
        patience = _PATIENCE.get(self.speed, _PATIENCE_ELSE) * (_LONGER if evidence.valid else 1)
        return evidence.is_garbled or passed >= patience

    def _leave(self, now: float) -> Verdict | None:
        if not self._evidence.heard:
            self._silent.append(self.speed)
        else:
            self._other = self._other or self._evidence.proves()
            if not self._woken:
                self._queue = self._silent + self._queue
                self._silent = []
            self._woken = True
        if self._queue:
            self._next(now)
            return None
        if not self._woken:
            return Verdict(Cause.SILENT, self._speeds)
        if self._other is not None:
            return Verdict(Cause.OTHER_MODE, self._speeds, self._other, self._wanted)
        return Verdict(Cause.NOISE, self._speeds)

    def _next(self, now: float) -> None:
        self.speed = self._queue.pop(0)
        self._began = now
        self._evidence = Evidence()
        self._kept = b""

    def _keep(self, piece: bytes) -> None:
        kept = self._kept + piece
        start = kept.translate(_SEVEN_BITS).find(STX)
        self._kept = kept[start:][-_KEPT:] if start >= 0 else b""


class Watch:
    """Whether a line is still understood. A look at a few groups in each few seconds is enough to know."""

    def __init__(
        self,
        now: float,
        speed: int | None = None,
        wanted: Mode | None = None,
        *,
        mode: Mode | None = None,
        patience: float = LOST,
    ) -> None:
        self._patience = patience
        self._speeds = () if speed is None else (speed,)
        self._wanted = wanted
        self._mode = mode  # known already
        self._raw = True
        self._lost = False
        self._since = self._heard_at = self._looks_from = now
        self._evidence = Evidence()

    def hear(self, piece: bytes, now: float) -> Verdict | None:
        """News, if any: a mode, for the first time or another, a terminal that is not raw, a line that is lost."""
        if piece:
            self._heard_at = now
        if now < self._looks_from:
            return None
        self._evidence.add(piece)
        mode = self._evidence.speaks(self._wanted)
        if mode is not None:
            return self._understood(mode, now)
        if now - self._heard_at >= self._patience:
            return Verdict(Cause.SILENT, self._speeds)
        if now - self._since >= self._patience:
            return self._not_understood(now)
        return None

    def _understood(self, mode: Mode, now: float) -> Verdict | None:
        is_raw, self._evidence = self._evidence.is_raw, Evidence()
        news = mode is not self._mode or self._lost or (is_raw and not self._raw)
        broke, self._raw = self._raw and not is_raw, is_raw
        self._mode, self._lost = mode, False
        self._since, self._looks_from = now, now + _REST
        if broke:
            return Verdict(Cause.NOT_RAW, self._speeds, mode)
        return Verdict(Cause.PROVEN, self._speeds, mode) if news else None

    def _not_understood(self, now: float) -> Verdict | None:
        evidence, self._evidence = self._evidence, Evidence()
        self._since = now  # and look again for as long: chance makes a valid group now and then
        if self._lost:
            return None
        self._lost = True
        if now - self._heard_at >= _QUIET:
            return Verdict(Cause.SILENT, self._speeds)
        if (other := evidence.speaks()) is not None:
            return Verdict(Cause.OTHER_MODE, self._speeds, other, self._wanted)
        if evidence.is_slower and self._speeds and self._speeds[0] > BAUD[Mode.HISTORIQUE]:
            return Verdict(Cause.SLOWER, self._speeds)
        return Verdict(Cause.NOISE, self._speeds)
