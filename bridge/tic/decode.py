"""Groups to a reading, and what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final
from zoneinfo import ZoneInfo

from bridge.tic.catalogue import BY_LABEL, Field, Mode
from bridge.tic.errors import GroupError, Reason, Refused
from bridge.tic.framing import is_whole
from bridge.tic.groups import Group, read_group, split_groups
from bridge.tic.models import MODELS, Reading
from bridge.tic.values import PARIS, Stamp, Value, read_stamp, read_value

MAX_EXTRA: Final = 32
_UNKNOWN_SEEN: Final = 256  # labels remembered while they wait to be seen again
_RAW_SHOWN: Final = 120


@dataclass(frozen=True, slots=True)
class Accepted:
    """A known label's value."""

    field: Field
    value: Value
    stamp: Stamp | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A group whose checksum is right and whose label the catalogue does not know."""

    mode: Mode
    label: str
    raw: str


Verdict = Accepted | Unknown | Refused


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a frame gave: its reading (None when nothing was accepted) and what was refused.

    `changed` names the slugs whose bytes differ from the frame before.
    """

    reading: Reading | None
    refused: tuple[Refused, ...] = ()
    changed: frozenset[str] = field(default_factory=frozenset)


class Decoder:
    """Decodes the frames of one source, one after the other.

    It remembers the last frame's groups and reads again only those whose bytes changed. With `mode` None the mode
    is told by the separators of each frame.
    """

    def __init__(self, mode: Mode | None = None, zone: ZoneInfo = PARIS) -> None:
        self._mode = mode
        self._zone = zone
        self._known: dict[bytes, Verdict] = {}
        self._unknown: Counter[str] = Counter()

    def decode(self, frame: bytes) -> Decoded:
        """Decode one frame as the framer gave it."""
        before, self._known = self._known, {}
        verdicts = []
        changed = set()
        for group in split_groups(frame):
            verdict = before.get(group)
            if verdict is None:
                verdict = self._judge(group)
                if isinstance(verdict, Accepted):
                    changed.add(verdict.field.slug)
            self._known[group] = verdict
            verdicts.append(verdict)
        mode = self._mode or _majority(verdicts)
        return self._assemble(mode, verdicts, changed, complete=is_whole(frame))

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
        return Accepted(row, read_value(row, group.raw, stamp), stamp)

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
            return Decoded(None, (*refused, *self._first_seen(unknown)))
        repeated = _repeated(accepted)
        for item in accepted:
            slug = item.field.slug
            if item.field.mode is not mode or slug in repeated:
                reason = Reason.REPEATED if slug in repeated else Reason.MODE
                refused.append(Refused(item.field.label or slug, str(item.value), reason))
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
    first: dict[str, Accepted] = {}
    return {a.field.slug for a in accepted if first.setdefault(a.field.slug, a) != a}


def _shown(group: bytes) -> str:
    return group[:_RAW_SHOWN].decode("ascii", "backslashreplace")


def _likely_label(group: bytes) -> str:
    """The known label that a refused group seems to carry, for the counts; else nothing."""
    for separator, mode in ((b"\t", Mode.STANDARD), (b" ", Mode.HISTORIQUE)):
        label = group.partition(separator)[0].decode("ascii", "replace")
        if label in BY_LABEL[mode]:
            return label
    return ""
