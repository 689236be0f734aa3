"""What is sent, when it is sent again, and when it is let go."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge import BUILT
from bridge.handover import PATIENCE, WINDOW, Handover, Release
from bridge.spool import Held, Spool, Stream
from bridge.topics import Message, Topics, Watermark

METER, OTHER = "021861000001", "041961000002"
NEW, OLD = "11111111-2222-4333-8444-555555555555", "99999999-2222-4333-8444-555555555555"
START = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Broker:
    """Takes what it is given, says nothing unless asked to."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.is_there = True

    def post(self, message: Message) -> int | None:
        if not self.is_there:
            return None
        self.got.append(message)
        return len(self.got)


class Bridge:
    """A bridge's hand-over, its spool on disk, and a clock."""

    def __init__(self, folder: Path, release: Release = "stored", epoch: str = NEW, boot: str = "boot") -> None:
        self.now = 1000.0
        self.utc = START
        self.broker = Broker()
        self.spool = Spool(folder / "spool.sqlite3", clock=lambda: self.now, boot=boot)
        self.handover = Handover(
            self.spool, Topics(), epoch, self.broker.post, release,
            boot=boot, clock=lambda: self.now, now=lambda: self.utc + timedelta(seconds=self.now - 1000),
        )  # fmt: skip
        self.epoch = epoch

    def read(self, *seqs: int, meter: str = METER, clock: str = "host") -> list[bool]:
        return [
            self.handover.accept(meter, seq, self.now, f'{{"seq":{seq},"ts":"then","clock":"{clock}"}}') for seq in seqs
        ]

    def connect(self) -> None:
        self.handover.on_connected()
        self.later(0)

    def later(self, seconds: float) -> None:
        """Time passes; the thread does what is due then."""
        self.now += seconds
        while self.handover.turn() < 0.5:
            self.now += 0.1

    def puback(self, *mids: int, reason: int = 0) -> None:
        for mid in mids:
            self.handover.on_published(mid, reason)

    def stored(self, seq: int, epoch: str | None = None, meter: str = METER, batch_seconds: float = 10.0) -> None:
        self.handover.on_watermark(meter, Watermark(epoch=epoch or self.epoch, seq=seq, batch_seconds=batch_seconds))
        self.handover.turn()  # it wakes the thread

    def store(self, *, online: bool) -> None:
        self.handover.on_store("db", online=online)
        self.handover.turn()

    def sent(self) -> list[int]:
        """The seqs that were sent since the last look."""
        return [body["seq"] for body in self.bodies()]

    def bodies(self) -> list[dict[str, Any]]:  # JSON objects
        bodies = [json.loads(message.payload) for message in self.broker.got]
        self.forget()
        return bodies

    def forget(self) -> None:
        self.broker.got.clear()


@pytest.fixture
def bridge(tmp_path: Path) -> Iterator[Bridge]:
    made = Bridge(tmp_path)
    yield made
    made.spool.close()


def after_a_restart(folder: Path, release: Release = "stored", boot: str = "boot") -> Bridge:
    return Bridge(folder, release, OLD if release == "auto" else "22222222-2222-4333-8444-555555555555", boot)


# --- sending -------------------------------------------------------------------------------------


def test_a_reading_is_spooled_then_sent_at_once(bridge: Bridge) -> None:
    bridge.connect()
    assert bridge.read(1, 2) == [True, True]
    [first, second] = bridge.broker.got
    assert first == Message(
        f"linky/{METER}/reading",
        '{"floor":1,"since":1,"replay":false,"seq":1,"ts":"then","clock":"host"}', retain=False, qos=1,
    )  # fmt: skip
    assert json.loads(second.payload)["floor"] == 1
    assert bridge.spool.depth == 2


def test_without_a_connection_readings_wait_and_go_in_order_when_there_is_one(bridge: Bridge) -> None:
    bridge.read(1, 2)
    bridge.later(5)
    assert bridge.sent() == []
    bridge.connect()
    bridge.read(3)
    assert bridge.sent() == [1, 2, 3]


def test_a_late_reading_says_that_it_is_one(bridge: Bridge) -> None:
    bridge.read(1)
    bridge.later(9)
    bridge.read(2)
    bridge.later(2)
    bridge.connect()
    assert [(body["seq"], body["replay"]) for body in bridge.bodies()] == [(1, True), (2, False)]


def test_no_more_are_under_way_than_the_window_holds(bridge: Bridge) -> None:
    bridge.connect()
    bridge.read(*range(1, WINDOW + 11))
    bridge.handover.turn()
    assert bridge.sent() == list(range(1, WINDOW + 1))
    bridge.puback(1, 2, 3)
    bridge.now += 1
    bridge.handover.turn()
    assert bridge.sent() == [WINDOW + 1, WINDOW + 2, WINDOW + 3]


def test_a_backlog_goes_in_parts_so_that_live_values_find_their_way(bridge: Bridge) -> None:
    bridge.read(*range(1, 46))
    bridge.handover.on_connected()
    first = bridge.handover.turn()
    parts = [len(bridge.sent())]
    assert (first, round(bridge.handover.turn(), 3), bridge.sent()) == (0.1, 0.1, [])
    for _ in range(2):
        bridge.now += 0.1
        bridge.handover.turn()
        parts.append(len(bridge.sent()))
    assert parts == [21, 21, 3]


def test_what_the_link_does_not_take_stays_and_goes_later(bridge: Bridge) -> None:
    bridge.connect()
    bridge.broker.is_there = False
    bridge.read(1, 2)
    bridge.handover.turn()
    bridge.broker.is_there = True
    bridge.later(1)
    assert bridge.sent() == [1, 2]


def test_each_meter_has_its_own_order(bridge: Bridge) -> None:
    bridge.read(1, 2)
    bridge.read(1, meter=OTHER)
    bridge.connect()
    assert sorted(bridge.sent()) == [1, 1, 2]
    assert bridge.handover.meters() == {METER, OTHER}


# --- letting go ----------------------------------------------------------------------------------


def test_a_watermark_lets_go_and_raises_the_floor(bridge: Bridge) -> None:
    bridge.connect()
    bridge.read(1, 2, 3)
    bridge.forget()
    bridge.stored(2)
    bridge.later(0)
    assert bridge.spool.depth == 1
    bridge.read(4)
    assert [(body["seq"], body["floor"]) for body in bridge.bodies()] == [(4, 3)]
    assert bridge.spool.hold == 20.0


def test_no_puback_lets_go_of_anything(bridge: Bridge) -> None:
    bridge.connect()
    bridge.read(1, 2)
    bridge.puback(1, 2)
    bridge.later(1)
    assert bridge.spool.depth == 2


def test_a_mark_beyond_what_was_ever_sent_is_not_believed(bridge: Bridge) -> None:
    bridge.read(1, 2, 3)
    bridge.stored(3)
    bridge.later(0)
    assert bridge.spool.depth == 3
    bridge.connect()
    bridge.stored(3, OLD)
    bridge.stored(3, meter=OTHER)
    bridge.later(0)
    assert bridge.spool.depth == 3


def test_a_mark_that_falls_behind_changes_nothing(bridge: Bridge) -> None:
    bridge.connect()
    bridge.read(1, 2, 3)
    for mark in (3, 1):
        bridge.stored(mark)
        bridge.later(0)
    bridge.forget()
    bridge.read(4)
    assert (bridge.spool.depth, bridge.sent()) == (1, [4])


def test_a_mark_of_the_last_connection_counts_for_what_was_sent_over_it(bridge: Bridge) -> None:
    bridge.connect()
    bridge.read(1, 2)
    bridge.handover.on_disconnected()
    bridge.handover.on_connected()
    bridge.stored(2)
    bridge.later(0)
    assert bridge.spool.depth == 0


def test_with_release_puback_the_brokers_word_is_enough(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, "puback")
    bridge.connect()
    bridge.read(1, 2, 3)
    bridge.puback(2)
    bridge.later(0)
    assert bridge.spool.depth == 3
    bridge.puback(1)
    bridge.stored(3)
    bridge.later(0)
    assert bridge.spool.depth == 1


def test_with_release_puback_a_refusal_or_an_empty_room_is_no_delivery(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bridge = Bridge(tmp_path, "puback")
    bridge.connect()
    bridge.read(1, 2)
    bridge.puback(1, reason=135)
    bridge.puback(2, reason=16)
    bridge.later(0)
    assert (bridge.spool.depth, bridge.sent()) == (2, [1, 2])
    assert [r.getMessage() for r in caplog.records] == [f"Nobody reads linky/{METER}/reading: its readings are kept"]
    bridge.later(PATIENCE)
    assert bridge.sent() == [1, 2]
    bridge.puback(1, 2)
    bridge.later(0)
    assert bridge.spool.depth == 0


# --- sending again -------------------------------------------------------------------------------


def test_a_new_connection_sends_all_again_that_is_not_handled(bridge: Bridge) -> None:
    bridge.connect()
    bridge.read(1, 2, 3)
    bridge.puback(1, 2, 3)
    bridge.stored(1)
    bridge.forget()
    bridge.handover.on_disconnected()
    bridge.read(4)
    bridge.later(1)
    assert bridge.sent() == []
    bridge.connect()
    assert bridge.sent() == [2, 3, 4]


def test_a_store_without_progress_gets_all_again_and_less_and_less_often(
    bridge: Bridge, caplog: pytest.LogCaptureFixture
) -> None:
    bridge.connect()
    bridge.store(online=True)
    bridge.read(1, 2)
    bridge.stored(1)
    bridge.forget()
    again = []
    for second in range(1, 250):
        bridge.later(1)
        again += [second] * len(bridge.sent())
    assert again == [60, 180]
    assert caplog.records[0].getMessage() == "No progress with the readings of ...0001 for 60 s: sending them again"
    bridge.stored(2)
    bridge.read(3)
    bridge.later(59)
    bridge.forget()
    bridge.later(2)
    assert bridge.sent() == [3]


def test_a_slow_store_is_given_three_of_its_batches(bridge: Bridge) -> None:
    bridge.connect()
    bridge.store(online=True)
    bridge.read(1, 2)
    bridge.stored(1, batch_seconds=100)
    bridge.forget()
    bridge.later(299)
    assert bridge.sent() == []
    bridge.later(1)
    assert bridge.sent() == [2]


def test_a_store_that_is_away_is_not_sent_the_same_again_and_again(bridge: Bridge) -> None:
    bridge.connect()
    bridge.store(online=False)
    bridge.read(1)
    bridge.forget()
    bridge.later(3600)
    assert bridge.sent() == []
    bridge.store(online=True)
    bridge.later(59)
    assert bridge.sent() == []  # the broker may have kept it
    bridge.later(1)
    assert bridge.sent() == [1]


def test_a_store_that_comes_and_goes_gets_what_it_misses_all_the_same(bridge: Bridge) -> None:
    bridge.connect()
    bridge.store(online=True)
    bridge.read(1)
    bridge.forget()
    for _ in range(7):
        bridge.later(9)
        bridge.store(online=False)
        bridge.store(online=True)
    assert bridge.sent() == [1]


def test_a_rewind_while_a_backlog_goes_out_leaves_nothing_out(bridge: Bridge, monkeypatch: pytest.MonkeyPatch) -> None:
    bridge.connect()
    bridge.read(*range(1, 31))
    bridge.puback(*range(1, 31))
    bridge.broker.is_there = False
    bridge.read(*range(31, 41))
    bridge.broker.is_there = True
    bridge.forget()
    after = bridge.spool.after

    def disturbed(stream: Stream, seq: int, limit: int) -> list[Held]:
        found = after(stream, seq, limit)
        monkeypatch.undo()
        bridge.handover.on_connected()
        bridge.read(41)  # a reader takes note of it
        return found

    monkeypatch.setattr(bridge.spool, "after", disturbed)
    bridge.later(1)
    assert bridge.sent() == list(range(1, 42))


def test_a_broker_that_acknowledges_nothing_is_tried_again(bridge: Bridge) -> None:
    bridge.connect()
    bridge.read(*range(1, WINDOW + 3))
    bridge.later(1)
    assert len(bridge.sent()) == WINDOW
    bridge.later(PATIENCE)
    assert bridge.sent() == list(range(1, WINDOW + 1))


# --- restarts ------------------------------------------------------------------------------------


def test_after_a_restart_the_old_epoch_goes_first_and_as_what_it_is(tmp_path: Path) -> None:
    killed = Bridge(tmp_path)
    killed.read(1, 2)
    bridge = after_a_restart(tmp_path)
    bridge.read(1)
    bridge.connect()
    bodies = bridge.bodies()
    assert [(body["seq"], body["replay"]) for body in bodies] == [(1, True), (2, True), (1, False)]
    bridge.stored(2, NEW)
    bridge.later(0)
    assert (bridge.spool.streams(), bridge.spool.depth) == ({Stream(METER, bridge.epoch): (1, 1)}, 1)
    bridge.stored(2, NEW)  # of a stream that is done with
    bridge.later(0)


def test_a_mark_of_an_old_epoch_is_believed_before_anything_was_sent(tmp_path: Path) -> None:
    """The retained one: the store had it all, and the bridge died before it heard so."""
    Bridge(tmp_path).read(1, 2)
    bridge = after_a_restart(tmp_path)
    bridge.stored(500, NEW)
    bridge.connect()
    assert (bridge.sent(), bridge.spool.depth) == ([], 0)


# --- before the first store ----------------------------------------------------------------------


def test_before_the_first_store_live_readings_go_out_and_nothing_again(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, "auto")
    bridge.connect()
    bridge.read(1, 2)
    bridge.handover.on_disconnected()
    bridge.connect()
    bridge.read(3)
    bridge.later(10 * PATIENCE)
    assert (bridge.sent(), bridge.spool.promised) == ([1, 2, 3], False)


def test_the_first_store_gets_all_that_is_held_and_is_remembered(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, "auto")
    bridge.connect()
    bridge.read(1, 2)
    bridge.forget()
    bridge.store(online=False)
    bridge.later(0)
    assert bridge.sent() == [1, 2]
    bridge.spool.close()
    assert after_a_restart(tmp_path, "auto").spool.promised


def test_a_watermark_is_a_store_too(tmp_path: Path) -> None:
    bridge = Bridge(tmp_path, "auto")
    bridge.connect()
    bridge.read(1)
    bridge.stored(1)
    bridge.later(0)
    assert (bridge.spool.promised, bridge.spool.depth) == (True, 0)


# --- time that is not known yet ------------------------------------------------------------------


def test_a_reading_without_a_clock_waits_for_one_and_is_dated_back(bridge: Bridge) -> None:
    bridge.utc = BUILT - timedelta(days=1)
    bridge.connect()
    bridge.read(1, clock="unsure")
    bridge.later(30)
    assert bridge.sent() == []
    bridge.utc = START
    bridge.later(1)
    [body] = bridge.bodies()
    assert (body["ts"], body["clock"], body["replay"]) == ("2026-11-21T12:00:00.000Z", "host", True)
    bridge.utc += timedelta(seconds=3)
    bridge.handover.on_connected()
    bridge.later(1)
    assert [body["ts"] for body in bridge.bodies()] == ["2026-11-21T12:00:00.000Z"]


def test_after_a_reboot_nobody_knows_when_it_was(tmp_path: Path) -> None:
    Bridge(tmp_path).read(1, clock="unsure")
    bridge = after_a_restart(tmp_path, boot="another")
    bridge.connect()
    assert [(body["ts"], body["clock"]) for body in bridge.bodies()] == [("then", "unsure")]


# --- the threads ----------------------------------------------------------------------------------


def test_the_thread_ends_when_told_to(bridge: Bridge) -> None:
    stopping = threading.Event()
    thread = threading.Thread(target=bridge.handover.run, args=(stopping,))
    thread.start()
    stopping.set()
    bridge.handover.stop()
    thread.join(20)
    assert not thread.is_alive()


def test_a_reading_that_is_not_on_disk_is_sent_all_the_same(
    bridge: Bridge, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.CRITICAL)
    bridge.connect()
    put = bridge.spool.put
    monkeypatch.setattr(bridge.spool, "put", lambda held: put(held) and False)
    assert bridge.read(1) == [False]
    assert bridge.sent() == [1]


def test_the_links_thread_never_waits_for_whoever_is_sending(bridge: Bridge) -> None:
    """paho calls with a lock held that sending needs: one that waited here for ours would wait for ever."""
    bridge.connect()
    bridge.read(1, 2)
    done = threading.Event()

    def callbacks() -> None:
        bridge.handover.on_published(1, 0)
        bridge.handover.on_watermark(METER, Watermark(epoch=NEW, seq=1, batch_seconds=1.0))
        bridge.handover.on_store("db", online=True)
        bridge.handover.on_disconnected()
        bridge.handover.on_connected()
        done.set()

    with bridge.handover._lock:
        thread = threading.Thread(target=callbacks)
        thread.start()
        assert done.wait(20)
    thread.join()
    bridge.later(0)
    assert bridge.spool.depth == 1
