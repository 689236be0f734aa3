"""Brings readings from the spool into the store's hands: what to send, when to send it again, when to let go.

The states are those of `docs/design/handover.md`: spooled, sent, published, handled, released. No paho and no SQL here.
"""

from __future__ import annotations

import functools
import json
import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, Literal

from bridge.clock import is_plausible
from bridge.spool import HOLD, Held, Spool, Stream
from bridge.topics import Message, Topics, Watermark, sent_again, write_ts

log = logging.getLogger("ticbridge.bridge")

PATIENCE: Final = 60.0  # seconds without progress of the store before all is sent again
_BATCHES: Final = 3  # and so many of the store's batches
_LONGEST: Final = 16 * PATIENCE  # of the pause, which doubles each time that it did not help
WINDOW: Final = 50  # readings that the broker has not acknowledged yet
_BURST: Final = 20  # readings of a backlog sent at once ...
_PAUSE: Final = 0.1  # ... and seconds until the next: 200 a second, so that live values find their way
_IDLE: Final = 1.0
_LATE: Final = 10.0  # seconds after which a reading is no news
_NOBODY: Final = 16  # MQTT 5: accepted, and nobody had subscribed
_SEEN: Final = "store_seen"
_UNSURE: Final = '"clock":"unsure"'

Release = Literal["auto", "stored", "puback"]


@dataclass(slots=True)
class _Progress:
    """How far a stream is, over this connection."""

    sent: int = 0  # the highest seq that was sent since the last rewind
    reached: int = 0  # and ever
    handled: int = 0  # the store's watermark
    moved: float = 0.0  # when it last moved, or the first was sent after it
    patience: float = PATIENCE
    unconfirmed: set[int] = field(default_factory=set)  # sent, no PUBACK yet; only where that releases


class Handover:
    """The hand-over of one bridge. `accept` is called by readers, the `on_` methods by the link, `turn` by a thread.

    `post` sends a message and gives its packet id, or None when the broker cannot take it.
    """

    def __init__(
        self,
        spool: Spool,
        topics: Topics,
        epoch: str,
        post: Callable[[Message], int | None],
        release: Release = "auto",
        *,
        boot: str = "",
        clock: Callable[[], float] = monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._spool = spool
        self._topics = topics
        self._epoch = epoch
        self._post = post
        self._release: Release = release
        self._boot = boot
        self._clock = clock
        self._now = now
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._news: deque[Callable[[], None]] = deque()  # from the link, to be taken note of
        self._is_behind = False  # readings wait for room in the window
        self._streams: dict[Stream, _Progress] = {}
        self._flying: dict[int, tuple[Stream, int]] = {}  # by packet id
        self._stores: dict[str, bool] = {}  # by id: whether it is on line
        self._away_since = clock()
        self._connected = False
        self._rewinds = 0
        self._burst_at = 0.0  # when the next part of a backlog may go
        self._answered = 0.0  # when the broker last acknowledged
        self._batch_seconds = 0.0
        self._nobody = False
        spool.promised = release != "auto" or spool.recall(_SEEN) is not None
        for stream in spool.streams():
            self._streams[stream] = _Progress()

    def meters(self) -> set[str]:
        """The meters whose readings wait."""
        return {stream.meter for stream in self._spool.streams()}

    # --- readers ---------------------------------------------------------------------------------

    def accept(self, meter: str, seq: int, at: float, body: str) -> bool:
        """Spool a reading, then send it when nothing stands before it; False: it is not on disk."""
        held = Held(Stream(meter, self._epoch), seq, at, body)
        kept = self._spool.put(held)
        with self._lock:
            self._take_note()
            progress = self._streams.setdefault(held.stream, _Progress())
            floor = self._spool.floor(held.stream)
            # Whoever was handed seq - 1 over this connection may be handed this one; all else is the thread's.
            next_in_line = progress.sent == seq - 1 or floor in (None, seq)
            if not (next_in_line and self._has_room() and self._send(held, progress)):
                self._is_behind = True
                self._wake.set()
        return kept

    # --- the link: on its thread, so these only take note -----------------------------------------

    def on_connected(self) -> None:
        """A new connection: what the broker knew of us is not to be relied on."""
        self._note(self._begin)

    def on_disconnected(self) -> None:
        """Nothing can be sent now."""
        self._note(self._end)

    def on_published(self, mid: int, reason: int) -> None:
        """The broker answered: PUBACK with a reason code (0 with MQTT 3.1.1)."""
        # paho holds the lock that sending needs while it calls this, so waiting for ours here would be for ever.
        self._news.append(functools.partial(self._publish, mid, reason))
        if self._is_behind:
            self._wake.set()

    def on_watermark(self, meter: str, mark: Watermark) -> None:
        """The store says how far it is. Letting go can wait for the next turn, together with other meters'."""
        self._news.append(functools.partial(self._mark, meter, mark))

    def on_store(self, store: str, *, online: bool) -> None:
        """A store said that it is there, or gone."""
        self._note(functools.partial(self._hear_store, store, online))

    def _note(self, news: Callable[[], None]) -> None:
        self._news.append(news)
        self._wake.set()

    # --- the thread ------------------------------------------------------------------------------

    def run(self, stopping: threading.Event) -> None:
        """Turn until told to stop."""
        pause = _IDLE
        while not stopping.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            pause = self.turn()
        with self._lock:
            self._take_note()
        self._let_go()

    def stop(self) -> None:
        """End the wait of `run`."""
        self._wake.set()

    def turn(self) -> float:
        """Let go of what is handled, send what waits, again if need be. Seconds until the next turn."""
        with self._lock:
            self._take_note()
        self._let_go()
        self._spool.tick()
        if not self._connected:
            return _IDLE
        now = self._clock()
        self._send_again(now)
        if now < self._burst_at:
            return self._burst_at - now
        self._is_behind = True  # before looking: a PUBACK that comes meanwhile must wake the thread
        if not self._send_waiting():
            return _IDLE
        self._burst_at = now + _PAUSE
        return _PAUSE

    def _let_go(self) -> None:
        held = self._spool.streams()
        with self._lock:
            marks = {
                stream: progress.handled
                for stream, progress in self._streams.items()
                if stream in held and held[stream][0] <= progress.handled
            }
        if marks:
            self._spool.release(marks)
        left = self._spool.streams()
        with self._lock:
            for stream in [s for s in self._streams if s.epoch != self._epoch and s not in left]:
                del self._streams[stream]
                self._spool.forget(stream)

    def _send_again(self, now: float) -> None:
        """A store that is there and makes no progress did not get what we sent."""
        with self._lock:
            is_there = any(self._stores.values()) or (self._spool.promised and not self._stores)
            if self._flying and now - self._answered >= PATIENCE:
                self._flying.clear()  # a broker that does not acknowledge must not hold up all that follows
            for stream, (first, _) in self._spool.streams().items():
                progress = self._streams.setdefault(stream, _Progress())
                waits = progress.sent >= first and progress.sent > progress.handled
                if waits and is_there and now - progress.moved >= progress.patience:
                    log.warning("No progress with the readings of %s for %.0f s: sending them again",
                                _shown(stream.meter), progress.patience)  # fmt: skip
                    progress.patience = min(2 * progress.patience, _LONGEST)
                    self._rewind(progress)

    def _send_waiting(self) -> bool:
        """Send some of what waits, the oldest stream first; whether more does."""
        streams, is_behind = self._spool.streams(), False
        room = _BURST + len(streams)
        for stream, (_, last) in streams.items():
            with self._lock:
                progress = self._streams.setdefault(stream, _Progress())
                sent, rewinds = progress.sent, self._rewinds
            if sent >= last:
                continue
            is_behind = True
            for held in self._spool.after(stream, sent, room):
                ready = self._ready(held)
                if ready is None:
                    break
                with self._lock:
                    if rewinds != self._rewinds:
                        return True
                    if not self._has_room():
                        return False  # a PUBACK wakes the thread
                    if progress.sent < held.seq and not self._send(ready, progress):
                        return True
                room -= 1
            if room <= 0:
                return True
        self._is_behind = is_behind
        return False

    def _ready(self, held: Held) -> Held | None:
        """The reading as it may leave: one that was taken when no clock was right waits for one that is."""
        if _UNSURE not in held.body:
            return held
        if not self._is_of_this_boot(held.stream):
            return held  # nobody will ever know
        now = self._now()
        if not is_plausible(now):
            return None
        fields = json.loads(held.body)
        fields |= {"ts": write_ts(now - timedelta(seconds=self._clock() - held.at)), "clock": "host"}
        ready = held._replace(body=json.dumps(fields, separators=(",", ":"), ensure_ascii=False))
        self._spool.settle(ready)
        return ready

    def _is_of_this_boot(self, stream: Stream) -> bool:
        """Whether the monotonic clock of its readings is ours. Where the boot has no name, only this process' own."""
        return stream.epoch == self._epoch or (self._boot != "" and self._spool.boot(stream) == self._boot)

    # --- with the lock held ----------------------------------------------------------------------

    def _take_note(self) -> None:
        while self._news:
            self._news.popleft()()

    def _begin(self) -> None:
        self._connected = True
        self._flying.clear()
        if self._spool.promised:
            for progress in self._streams.values():
                self._rewind(progress)

    def _end(self) -> None:
        self._connected = False

    def _publish(self, mid: int, reason: int) -> None:
        """`sent` becomes `published`."""
        found = self._flying.pop(mid, None)
        if found is None:
            return
        self._answered = self._clock()
        stream, seq = found
        progress = self._streams.get(stream)
        if progress is None or self._release != "puback":
            return
        if reason == 0:
            self._nobody = False
            progress.unconfirmed.discard(seq)
            self._handle(progress, min(progress.unconfirmed, default=progress.sent + 1) - 1)
        elif reason == _NOBODY and not self._nobody:
            self._nobody = True
            log.warning("Nobody reads %s: its readings are kept", self._topics.meter(stream.meter, "reading"))

    def _mark(self, meter: str, mark: Watermark) -> None:
        if self._release == "puback":
            return
        self._see_store()
        progress = self._streams.get(Stream(meter, mark.epoch))
        if progress is None:
            return
        self._batch_seconds = mark.batch_seconds
        self._spool.hold = HOLD + mark.batch_seconds
        # What was never sent cannot be handled. What an earlier process sent is not known: all that it spooled may be.
        if mark.epoch != self._epoch or mark.seq <= progress.reached:
            self._handle(progress, mark.seq)

    def _hear_store(self, store: str, online: bool) -> None:
        self._see_store()
        was_there = any(self._stores.values())
        self._stores[store] = online
        is_there = any(self._stores.values())
        if was_there and not is_there:
            self._away_since = self._clock()
        # The broker may have kept all of it. Not for one that comes and goes: it would never be sent anything again.
        if is_there and not was_there and self._clock() - self._away_since >= PATIENCE:
            for progress in self._streams.values():
                progress.moved, progress.patience = self._clock(), self._patience()

    def _has_room(self) -> bool:
        return self._connected and len(self._flying) < WINDOW

    def _send(self, held: Held, progress: _Progress) -> bool:
        if _UNSURE in held.body and self._is_of_this_boot(held.stream):
            return False
        stream, now = held.stream, self._clock()
        floor = min(self._spool.floor(stream) or held.seq, held.seq)
        replay = stream.epoch != self._epoch or now - held.at > _LATE
        since = self._spool.since(stream)
        mid = self._post(sent_again(self._topics, stream.meter, held.body, floor, since, replay=replay))
        if mid is None:
            return False
        if progress.sent <= progress.handled:
            progress.moved = now
        if not self._flying:
            self._answered = now
        progress.sent = held.seq
        progress.reached = max(progress.reached, held.seq)
        if self._release == "puback":
            progress.unconfirmed.add(held.seq)
        self._flying[mid] = stream, held.seq
        return True

    def _handle(self, progress: _Progress, seq: int) -> None:
        if seq > progress.handled:
            progress.handled = seq
            progress.sent = max(progress.sent, seq)
            progress.moved, progress.patience = self._clock(), self._patience()

    def _rewind(self, progress: _Progress) -> None:
        self._rewinds += 1
        progress.sent = progress.handled
        progress.moved = self._clock()
        progress.unconfirmed.clear()

    def _patience(self) -> float:
        return max(PATIENCE, _BATCHES * self._batch_seconds)

    def _see_store(self) -> None:
        """From the first store on, readings are promised; what is held is what it gets."""
        if self._spool.promised:
            return
        self._spool.promised = True
        self._spool.remember(_SEEN, "1")
        for progress in self._streams.values():
            self._rewind(progress)


def _shown(meter: str) -> str:
    """A meter in a log: not the whole of its number."""
    return f"...{meter[-4:]}" if len(meter) > 4 else meter
