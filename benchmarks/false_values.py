"""Can damage make a false value? `make false-values`; exits 1 when a wrong index gets out that may not.

A meter's frames, 1.08 s apart, each damaged: one to three of flipped bits, lost and doubled characters in one group,
sometimes one more anywhere. Fed through parity, framer, decoder and guard in two runs. On a line that delivers its
parity no index may leave that the meter did not send. On a line of plain seven bits a damaged index passes checksum,
length and digits a few times in a thousand; what leaves is at most as far from the truth as the breaker could have
let the meter count since (`bridge/steps.py`). The same bytes without the guard have to do worse: else nothing is shown.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter, deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Final

from benchmarks.frames import PERIOD, START
from bridge.checked import Checked, Moment
from bridge.line import Line
from bridge.steps import INDEXES
from bridge.tic.catalogue import BY_SLUG, Mode, Quantity
from bridge.tic.decode import Decoder
from bridge.tic.encode import encode_frame, encode_group
from bridge.tic.values import WINTER, Value

FRAMES: Final = 1_000_000
PROCESSES: Final = 2
_PARTS: Final = 2  # meters for each run
_BEFORE: Final = 64  # frames whose truth is remembered: more than may wait in the guard or merge in the framer

_CUTOFF: Final = 9  # kVA
_LIMIT: Final = {True: 36_000, False: _CUTOFF * 1000}  # VA, whether the index is one that the breaker does not limit
_FREE: Final = frozenset({"eait", "erq1", "erq2", "erq3", "erq4"})
_FIRST: Final = 60.0  # seconds that two first values may be apart

_STEADY: Final = (
    ("ADSC", "021861000001"), ("VTIC", "02"), ("DATE", ""), ("NGTF", "H PLEINE/CREUSE "), ("LTARF", " HEURE  PLEINE  "),
    ("EAST", ""), ("EASF01", ""), ("EASF02", ""), *((f"EASF{n:02}", "000000000") for n in range(3, 11)),
    ("EASD01", ""), ("EASD02", ""), ("EASD03", "000000000"), ("EASD04", "000000000"), ("EAIT", ""),
    *((f"ERQ{n}", "") for n in range(1, 5)), ("IRMS1", ""), ("URMS1", "232"), ("PREF", "09"),
    ("PCOUP", f"{_CUTOFF:02}"), ("SINSTS", ""), ("SMAXSN", "03280"), ("SMAXSN-1", "04480"), ("SINSTI", "00000"),
    ("CCASN", "01410"), ("CCASN-1", "01230"), ("UMOY1", "231"), ("STGE", "003A4401"),
    ("MSG1", "PAS DE          MESSAGE         "), ("PRM", "00000000000000"), ("RELAIS", "001"), ("NTARF", "02"),
    ("NJOURF", "00"), ("NJOURF+1", "00"), ("PJOURF+1", "0000C001 06208002 2220C001" + " NONUTILE" * 8),
)  # fmt: skip
_STAMPS: Final = {
    "SMAXSN": "H260115070000", "SMAXSN-1": "H260114202322", "CCASN": "H260115072000", "CCASN-1": "H260115065000",
    "UMOY1": "H260115072500",
}  # fmt: skip

_PARITY: Final = bytes(n & 0x7F | n.bit_count() % 2 << 7 for n in range(128)) * 2


@dataclass
class Tally:
    """What a line let out."""

    frames: int = 0
    hurt: int = 0  # indexes that were damaged
    values: int = 0  # indexes that left
    within: int = 0  # wrong ones, as far from the truth as the breaker allows
    beyond: int = 0  # wrong ones, further
    resets: int = 0  # events that no meter made
    others: Counter[str] = field(default_factory=Counter)  # label -> wrong values that are no index
    shown: list[str] = field(default_factory=list)  # the first wrong indexes, to look into

    @property
    def wrong(self) -> int:
        """Wrong indexes."""
        return self.within + self.beyond

    def add(self, other: Tally) -> None:
        """Count another part of the same run."""
        for name in ("frames", "hurt", "values", "within", "beyond", "resets"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.others += other.others
        self.shown = [*self.shown, *other.shown][:10]


def frames(number: int, rng: random.Random) -> Iterator[tuple[bytes, dict[str, Value]]]:
    """A producer's frames of 45 groups, each with what it says."""
    drawn = rng.uniform(1e6, 9e8)
    indexes = {"EASF01": drawn / 3, "EASF02": drawn * 2 / 3, "EASD01": drawn / 3, "EASD02": drawn * 2 / 3}
    indexes |= {label: rng.uniform(1e3, 9e8) for label in ("EAIT", "ERQ1", "ERQ2", "ERQ3", "ERQ4")}
    power = 1640.0
    groups = {label: _group(label, data) for label, data in _STEADY}
    truth: dict[str, Value] = {}
    said: dict[str, str] = {}
    for n in range(number):
        now = START + timedelta(seconds=n * PERIOD)
        if rng.random() < 0.5:
            power = min(_CUTOFF * 1000.0, max(100.0, power + rng.uniform(-400, 400)))
        energy = power * PERIOD / 3600
        peak = 6 <= now.hour < 22
        drawn += energy
        indexes["EASF02" if peak else "EASF01"] += energy
        indexes["EASD02" if peak else "EASD01"] += energy
        indexes["EAIT"] += energy * 0.7
        indexes[f"ERQ{n // 1000 % 4 + 1}"] += energy * 0.2
        data = {label: f"{int(index):09}" for label, index in indexes.items()}
        data |= {"EAST": f"{int(drawn):09}", "SINSTS": f"{int(power):05}", "IRMS1": f"{int(power / 232):03}"}
        for label, text in data.items():
            if said.get(label) != text:
                groups[label] = encode_group(Mode.STANDARD, label, text)
                truth[label.lower()] = int(text)
        said = data
        groups["DATE"] = encode_group(Mode.STANDARD, "DATE", "", f"H{now:%y%m%d%H%M%S}")
        whole = encode_frame(groups.values())
        if n == 0:
            reading = Decoder().decode(whole).reading
            assert reading is not None
            truth = {**dict(reading.values()), **truth}
        truth["date"] = now.replace(microsecond=0, tzinfo=WINTER)
        yield whole, truth.copy()


def _group(label: str, data: str) -> bytes:
    return encode_group(Mode.STANDARD, label, data or "0", _STAMPS.get(label))


def damage(frame: bytes, bits: int, rng: random.Random) -> tuple[bytes, str]:
    """A frame on a line of 7 or 8 bits, with one group hurt, sometimes another place too; and that group's label."""
    hurt = bytearray(frame if bits == 7 else frame.translate(_PARITY))
    at = rng.randrange(1, len(frame) - 1)
    start, end = frame.rindex(b"\n", 0, at + 1), frame.index(b"\r", at) + 1
    label = frame[start + 1 : frame.index(b"\t", start)].decode("ascii")
    if rng.random() < 0.8:  # the data and its checksum alone: what is wrong then shows least
        start, end = frame.rindex(b"\t", start, end - 3) + 1, end - 1
    for _ in range(rng.randint(1, 3)):
        end += _hurt(hurt, rng.randrange(start, max(start + 1, end)), bits, rng)
    if rng.random() < 0.1:
        _hurt(hurt, rng.randrange(len(hurt)), bits, rng)
    return bytes(hurt), label


def _hurt(frame: bytearray, at: int, bits: int, rng: random.Random) -> int:
    """One damage; how many characters longer the frame is."""
    kind = rng.random()
    if kind < 0.8:
        frame[at] ^= 1 << rng.randrange(bits)
        return 0
    if kind < 0.9:
        del frame[at]
        return -1
    frame.insert(at, frame[at])
    return 1


class Judge:
    """Compares what leaves a line with what the meter sent."""

    def __init__(self, *, guarded: bool) -> None:
        self.tally = Tally()
        self._line = Line(guarded=guarded)
        self._truths: deque[tuple[int, tuple[dict[str, Value], ...]]] = deque(maxlen=_BEFORE)
        self._merging: tuple[dict[str, Value], ...] = ()  # frames that wait in the framer for their end
        self._left: dict[str, int] = {}  # index -> the frame in which its true value left last

    def feed(self, n: int, hurt: bytes, truth: dict[str, Value]) -> None:
        """The bytes of a frame, and what it said before they were damaged."""
        self._truths.append((n, (truth, *self._merging)))
        at = Moment(START.astimezone(UTC) + timedelta(seconds=n * PERIOD), n * PERIOD)
        for checked in self._line.feed(hurt, at):
            self._compare(checked)
        kept = bool(self._line.framer._kept)
        self._merging = (truth, *self._merging)[:_BEFORE] if kept else ()

    def finish(self) -> Tally:
        """What waits at the end."""
        for checked in self._line.flush():
            self._compare(checked)
        return self.tally

    def _compare(self, checked: Checked) -> None:
        tally = self.tally
        tally.frames += 1
        tally.resets += sum(event.kind == "index_reset" for event in checked.events)
        reading = checked.decoded.reading
        if reading is None:
            return
        n = round(checked.at.monotonic / PERIOD)
        truths = next(truths for number, truths in reversed(self._truths) if number == n)
        said = reading.__dict__
        for slug in reading.model_fields_set:
            if slug not in BY_SLUG:
                continue
            value = said[slug]
            index = slug in INDEXES
            tally.values += index
            if any(slug in truth and truth[slug] == value for truth in truths):
                if index:
                    self._left[slug] = n
            elif index:
                self._wrong(slug, value, truths[0], n)
            else:
                tally.others[slug] += 1
        for slug, stamp in reading.stamps.items():
            if BY_SLUG[slug].quantity is not Quantity.INSTANT and stamp.raw != _STAMPS.get(
                slug.upper().replace("_PREV", "-1")
            ):
                tally.others[f"{slug}'s horodate"] += 1

    def _wrong(self, slug: str, value: int, truth: Mapping[str, Value], n: int) -> None:
        left = self._left.get(slug)
        seconds = _FIRST if left is None else (n - left) * PERIOD
        true = truth.get(slug)
        limit = 2 * _LIMIT[slug in _FREE] * seconds / 3600 + 2
        if isinstance(true, int) and abs(value - true) <= limit:
            self.tally.within += 1
        else:
            self.tally.beyond += 1
        if len(self.tally.shown) < 5:
            self.tally.shown.append(f"frame {n}: {slug} {value} for {true}, {seconds:.2f} s after a true one")


def run(number: int, seed: int, bits: int) -> list[Tally]:
    """One meter: the tally with the guard and, on a line of seven bits, the one without it."""
    rng = random.Random(seed)  # noqa: S311  damage to measure with
    judges = [Judge(guarded=True), *([Judge(guarded=False)] if bits == 7 else [])]
    hurt_indexes = 0
    for n, (whole, truth) in enumerate(frames(number, rng)):
        hurt, label = damage(whole, bits, rng)
        hurt_indexes += label.lower() in INDEXES
        for judge in judges:
            judge.feed(n, hurt, truth)
    tallies = [judge.finish() for judge in judges]
    for tally in tallies:
        tally.hurt = hurt_indexes
    return tallies


def measure(number: int, seed: int) -> tuple[Tally, Tally, Tally]:
    """With parity; without it; without it and without the guard."""
    tallies = (Tally(), Tally(), Tally())
    jobs = [(number // _PARTS, seed + part, bits) for bits in (7, 8) for part in range(_PARTS)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        for (_, _, bits), parts in zip(jobs, pool.map(run, *zip(*jobs, strict=True)), strict=True):
            for total, part in zip(tallies[:1] if bits == 8 else tallies[1:], parts, strict=True):
                total.add(part)
    return tallies


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Can damage make a false value?")
    parser.add_argument("--frames", type=int, default=FRAMES)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    seven_e_one, plain, unguarded = measure(options.frames, options.seed)
    bars = (
        ("parity delivered (7E1)", seven_e_one, seven_e_one.wrong == 0, "none wrong"),
        ("plain seven bits", plain, plain.beyond == 0, "none beyond the step"),
        ("plain, guard off", unguarded, unguarded.wrong > plain.wrong, "more wrong than with the guard"),
    )
    lines = [
        f"{'line':24}{'frames':>9}{'hurt indexes':>14}{'indexes out':>13}{'wrong':>7}{'beyond':>8}{'resets':>8}  bar"
    ]
    lines += [
        f"{name:24}{t.frames:>9}{t.hurt:>14}{t.values:>13}{t.wrong:>7}{t.beyond:>8}{t.resets:>8}  "
        f"{bar}: {'ok' if holds else 'MISSED'}"
        for name, t, holds, bar in bars
    ]
    for name, t, _, _ in bars:
        others = ", ".join(f"{slug} {count}" for slug, count in t.others.most_common())
        lines += [f"{name}: other wrong values: {others or 'none'}", *(f"    {shown}" for shown in t.shown)]
    rate = 1e4 * unguarded.wrong / max(1, unguarded.hurt)
    lines.append(f"of 10 000 damaged indexes {rate:.1f} pass checksum, length and class on plain seven bits")
    print("\n".join(lines))  # noqa: T201  a tool's output
    return 0 if all(holds for _, _, holds, _ in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
