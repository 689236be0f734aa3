"""Groups to a reading, and what was refused and why."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import compress, count
from operator import ne
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from bridge.tic.catalogue import BY_LABEL, Field, Mode, Quantity
from bridge.tic.errors import GroupError, Reason, Refused
from bridge.tic.framing import is_whole
from bridge.tic.groups import Group, checksum, read_group, split_groups
from bridge.tic.models import MODELS, Reading
from bridge.tic.values import NUMERIC, PARIS, Stamp, Value, read_stamp, read_value

MAX_EXTRA: Final = 32
_UNKNOWN_SEEN: Final = 256  # labels remembered while they wait to be seen again
_RAW_SHOWN: Final = 120


class Accepted(NamedTuple):
    """A known label's value."""

    field: Field
    raw: str
    value: Value
    stamp: Stamp | None


class Unknown(NamedTuple):
    """A group whose checksum is right and whose label the catalogue does not know."""

    mode: Mode
    label: str
    raw: str


Verdict = Accepted | Unknown | Refused


class Decoded(NamedTuple):
    """What a frame gave: its reading (None when nothing was accepted) and what was refused.

    `changed` names the slugs of the reading whose bytes differ from the frame before, and those that changed in a
    frame which had to withhold them.
    """

    reading: Reading | None
    refused: tuple[Refused, ...] = ()
    changed: frozenset[str] = frozenset()


class Decoder:
    """Decodes the frames of one source, one after the other.

    It remembers the last frame's groups and reads again only those whose bytes changed. With `mode` None the mode
    is told by the separators of each frame.
    """

    def __init__(self, mode: Mode | None = None, zone: ZoneInfo = PARIS) -> None:
        self._mode = mode
        self._zone = zone
        self._groups: list[bytes] = []
        self._verdicts: list[Verdict] = []  # one for each of `_groups`
        self._plain: Reading | None = None  # the last frame's reading, when it was whole and all of it accepted
        self._owed: frozenset[str] = frozenset()  # slugs that changed in a frame which had to withhold them
        self._unknown: Counter[str] = Counter()

    def decode(self, frame: bytes) -> Decoded:
        """Decode one frame as the framer gave it."""
        if self._plain is not None and frame[:2] == b"\x02\n" and frame[-2:] == b"\r\x03":
            decoded = self._revise(self._plain, frame[2:-2].split(b"\r\n"))
            if decoded is not None:
                return decoded
        groups = split_groups(frame)
        before = dict(zip(self._groups, self._verdicts, strict=True))
        verdicts = [before.get(group) or self._judge(group) for group in groups]
        changed = {
            verdict.field.slug
            for group, verdict in zip(groups, verdicts, strict=True)
            if group not in before and isinstance(verdict, Accepted)
        } | self._owed
        mode = self._mode or _majority(verdicts)
        decoded = self._assemble(mode, verdicts, changed, complete=is_whole(frame))
        self._groups, self._verdicts = groups, verdicts
        self._owed = frozenset(changed - decoded.changed)
        # a label that stands twice may begin to contradict itself, which only `_assemble` would see
        labels = {verdict.field.slug for verdict in verdicts if isinstance(verdict, Accepted)}
        each_once = len(labels) == len(verdicts)
        self._plain = decoded.reading if each_once and not decoded.refused and is_whole(frame) else None
        return decoded

    def _revise(self, reading: Reading, groups: list[bytes]) -> Decoded | None:
        """The last reading with what changed, when each group still stands at its place; else None.

        After a plain frame, nearly every frame differs from it in a few groups only.
        """
        if len(groups) != len(self._groups):
            return None
        new: list[tuple[int, Accepted]] = []
        for place in compress(count(), map(ne, groups, self._groups)):
            last = self._verdicts[place]
            verdict = self._again(last, groups[place]) or self._judge(groups[place])
            if not (isinstance(verdict, Accepted) and isinstance(last, Accepted) and verdict.field is last.field):
                return None
            new.append((place, verdict))
        values: dict[str, Any] = {}  # as in `_assemble`
        stamps: dict[str, Stamp] = {}
        for place, verdict in new:
            self._verdicts[place] = verdict
            values[verdict.field.slug] = verdict.value
            if verdict.stamp is not None:
                stamps[verdict.field.slug] = verdict.stamp
        if values:
            reading = self._plain = reading.revised(values, stamps)
            self._groups = groups
        changed = frozenset(values)
        if self._owed:
            changed |= self._owed & reading.model_fields_set
            self._owed -= changed
        return Decoded(reading, (), changed)

    def _again(self, last: Verdict, group: bytes) -> Accepted | None:
        """Another number, or another instant, under the same label; None when it takes a closer look."""
        if not isinstance(last, Accepted):
            return None
        row = last.field
        match = _shape(row).fullmatch(group)
        if match is None:
            return None
        area, stamp_raw, raw, proof = match.groups()
        if checksum(area) != ord(proof):
            return None
        if stamp_raw is None:
            return Accepted(row, raw.decode(), int(raw), None)
        try:
            stamp = read_stamp(stamp_raw.decode(), self._zone)
        except GroupError:
            return None
        value = stamp.at if row.quantity is Quantity.INSTANT else int(raw)
        return Accepted(row, raw.decode(), value, stamp)

    def _judge(self, group: bytes) -> Verdict:
        label, raw = "", ""
        try:
            read = read_group(group)
            label, raw = read.label, read.raw
            row = BY_LABEL[read.mode].get(label)
            if row is None:
                return Unknown(read.mode, label, raw)
            return self._accept(row, read)
        except GroupError as error:
            return Refused(label or _likely_label(group), raw or _shown(group), error.reason)

    def _accept(self, row: Field, group: Group) -> Accepted:
        if row.dated is (group.stamp is None):
            raise GroupError(Reason.STAMP if row.dated else Reason.SHAPE)
        stamp = None if group.stamp is None else read_stamp(group.stamp, self._zone)
        return Accepted(row, group.raw, read_value(row, group.raw, stamp), stamp)

    def _assemble(
        self, mode: Mode | None, verdicts: Iterable[Verdict], changed: set[str], *, complete: bool
    ) -> Decoded:
        values: dict[str, Any] = {}  # typed values by slug, which the model checks again
        stamps: dict[str, Stamp] = {}
        refused: list[Refused] = []
        unknown: list[Unknown] = []
        accepted: list[Accepted] = []
        for verdict in verdicts:
            if isinstance(verdict, Accepted):
                accepted.append(verdict)
            elif isinstance(verdict, Refused):
                refused.append(verdict)
            else:
                unknown.append(verdict)
        if mode is None:
            return Decoded(None, tuple(refused))  # nothing proved itself
        repeated = _repeated(accepted)
        for item in accepted:
            slug = item.field.slug
            if item.field.mode is not mode or slug in repeated:
                reason = Reason.REPEATED if slug in repeated else Reason.MODE
                refused.append(Refused(item.field.label or slug, item.raw, reason))
                continue
            values[slug] = item.value
            if item.stamp is not None:
                stamps[slug] = item.stamp
        refused.extend(self._first_seen(unknown))
        extra = {u.label: u.raw for u in unknown if self._unknown[u.label] > 1}
        if not (values or extra):
            return Decoded(None, tuple(refused))
        reading = MODELS[mode].model_validate(
            {
                **values,
                "stamps": stamps,
                "extra": dict(list(extra.items())[:MAX_EXTRA]),
                "complete": complete and not repeated,
            }
        )
        return Decoded(reading, tuple(refused), frozenset(changed & values.keys()))

    def _first_seen(self, unknown: Iterable[Unknown]) -> Iterable[Refused]:
        """Unknown labels are handed on from the second sight; noise rarely repeats itself."""
        for item in unknown:
            if len(self._unknown) >= _UNKNOWN_SEEN and item.label not in self._unknown:
                self._unknown.clear()
            self._unknown[item.label] += 1
            if self._unknown[item.label] == 1:
                yield Refused(item.label, item.raw, Reason.UNKNOWN_LABEL)


def _majority(verdicts: Iterable[Verdict]) -> Mode | None:
    """The mode that most proven groups of a frame are written in."""
    modes = Counter(
        v.field.mode if isinstance(v, Accepted) else v.mode for v in verdicts if isinstance(v, Accepted | Unknown)
    )
    return modes.most_common(1)[0][0] if modes else None


def _repeated(accepted: Iterable[Accepted]) -> set[str]:
    """Slugs that one frame says twice with different data: which is true cannot be told."""
    first: dict[str, tuple[Value, Stamp | None]] = {}
    return {a.field.slug for a in accepted if first.setdefault(a.field.slug, (a.value, a.stamp)) != (a.value, a.stamp)}


def _shown(group: bytes) -> str:
    return group[:_RAW_SHOWN].decode("ascii", "backslashreplace")


def _likely_label(group: bytes) -> str:
    """The known label that a refused group seems to carry, for the counts; else nothing."""
    for separator, mode in ((b"\t", Mode.STANDARD), (b" ", Mode.HISTORIQUE)):
        label = group.partition(separator)[0].decode("ascii", "replace")
        if label in BY_LABEL[mode]:
            return label
    return ""


@cache
def _shape(row: Field) -> re.Pattern[bytes]:
    """A group of this label as (checksum area, stamp, data, checksum); only numbers and instants match."""
    if row.quantity not in NUMERIC and row.quantity is not Quantity.INSTANT:
        return re.compile(rb"(?!)()()()()")
    label = re.escape((row.label or "").encode())
    data = b"([0-9]{%d})" % row.digits
    if row.mode is Mode.HISTORIQUE:
        return re.compile(b"(" + label + b" (){0}" + data + b") (.)", re.DOTALL)
    stamp = b"([HEhe ][0-9]{12})\t" if row.dated else b"(){0}"
    return re.compile(b"(" + label + b"\t" + stamp + data + b"\t)(.)", re.DOTALL)
