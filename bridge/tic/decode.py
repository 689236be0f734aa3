"""Groups to a reading, and what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import compress, count
from operator import ne
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from bridge.tic.catalogue import Field, Mode
from bridge.tic.errors import Reason, Refused
from bridge.tic.framing import is_whole
from bridge.tic.groups import is_one_group, split_groups
from bridge.tic.models import MODELS, Reading
from bridge.tic.values import PARIS, Stamp, Value
from bridge.tic.verdicts import Accepted, Form, Unknown, Verdict, examine, form, judge, read_groups

MAX_EXTRA: Final = 32
_OF_SAPHIR: Final = "LG_TRM"  # a SAPHIR's frames begin so; its DATE has no horodate (02E)
_UNKNOWN_SEEN: Final = 256  # labels remembered while they wait to be seen again


class Decoded(NamedTuple):
    """What a frame gave: its reading (None when nothing was accepted) and what was refused.

    `changed` names the slugs of the reading whose bytes differ from those accepted last, and those that changed in a
    frame which had to withhold them.
    """

    reading: Reading | None
    refused: tuple[Refused, ...] = ()
    changed: frozenset[str] = frozenset()


class Decoder:
    """Decodes the frames of one source, one after the other.

    It remembers the groups accepted last and reads again only those whose bytes changed. With `mode` None the mode
    is told by the separators of each frame.
    """

    def __init__(self, mode: Mode | None = None, zone: ZoneInfo = PARIS) -> None:
        self._mode = mode
        self._zone = zone
        self._groups: list[bytes] = []  # accepted last at each place of a frame; empty where none was
        self._forms: list[Form | None] = []  # of the label that stands at each place; None where none was accepted
        self._labels = 0  # how many places hold one
        self._plain: Reading | None = None  # what `_groups` say, when each label stands at one place
        self._owed: frozenset[str] = frozenset()  # slugs that changed in a frame which had to withhold them
        self._unknown: Counter[str] = Counter()

    def decode(self, frame: bytes) -> Decoded:
        """Decode one frame as the framer gave it."""
        if self._plain is not None and frame[:2] == b"\x02\n" and frame[-2:] == b"\r\x03":
            decoded = self._revise(self._plain, frame[2:-2].split(b"\r\n"))
            if decoded is not None:
                return decoded
        return self._decode_anew(frame)

    def _revise(self, plain: Reading, groups: list[bytes]) -> Decoded | None:
        """Read only what changed since the last frame, when each label still stands at its place; else None.

        Nearly every frame differs from the one before in a few groups only, damage included.
        """
        if len(groups) != len(self._groups):
            return None
        values: dict[str, Any] = {}  # typed values by slug, which the model checks again
        stamps: dict[str, Stamp] = {}
        refused: list[Refused] = []
        lost: list[str] = []
        last, forms = self._groups, self._forms
        for n in read_groups(groups, compress(count(), map(ne, groups, last)), forms, values, stamps):
            group, at = groups[n], forms[n]
            if not is_one_group(group):
                return None  # a line end doubled or halved makes two of one
            verdict = examine(group, self._zone)
            if isinstance(verdict, Refused):
                refused.append(verdict)
                if at is not None:
                    lost.append(at[0])
                groups[n] = last[n]
            elif isinstance(verdict, Accepted) and at is None and self._adopt(n, verdict.field, plain):
                values[verdict.field.slug] = verdict.value
                if verdict.stamp is not None:
                    stamps[verdict.field.slug] = verdict.stamp
            else:
                return None
        self._groups = groups
        if values:
            plain = self._plain = plain.revised(values, stamps)
        reading: Reading | None = plain
        if lost:
            reading = plain.without(*lost) if len(lost) < self._labels else None
        changed = frozenset(values)
        if self._owed and reading is not None:
            changed |= self._owed & reading.model_fields_set
            self._owed -= changed
        return Decoded(reading, tuple(refused), changed)

    def _adopt(self, place: int, row: Field, plain: Reading) -> bool:
        """Take in a label at a place where all before was damaged, unless it stands elsewhere too."""
        if row.mode is not plain.mode or row.slug in (at[0] for at in self._forms if at is not None):
            return False
        self._forms[place] = form(row, self._zone)
        self._labels += 1
        return True

    def _decode_anew(self, frame: bytes) -> Decoded:
        groups = split_groups(frame)
        verdicts = [judge(group, self._zone) for group in groups]
        before = set(self._groups)
        changed = {v.field.slug for v in verdicts if isinstance(v, Accepted) and v.group not in before} | self._owed
        mode = self._mode or _majority(verdicts)
        decoded = self._assemble(mode, verdicts, changed, complete=is_whole(frame))
        self._owed = frozenset(changed - decoded.changed)
        self._forms = [form(v.field, self._zone) if isinstance(v, Accepted) else None for v in verdicts]
        self._groups = [b"" if at is None else group for at, group in zip(self._forms, groups, strict=True)]
        # A label that stands twice may begin to contradict itself, which only `_assemble` would see; unknown labels
        # and frames that were cut are counted there.
        slugs = [at[0] for at in self._forms if at is not None]
        self._labels = len(slugs)
        plain = is_whole(frame) and not any(isinstance(verdict, Unknown) for verdict in verdicts)
        said = set(dict(decoded.reading.values())) if decoded.reading is not None else set()
        self._plain = decoded.reading if plain and said == set(slugs) and len(said) == len(slugs) else None
        return decoded

    def _assemble(
        self, mode: Mode | None, verdicts: Iterable[Verdict], changed: set[str], *, complete: bool
    ) -> Decoded:
        values: dict[str, Any] = {}  # as in `_revise`
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
        test = next((u for u in unknown if u.label == "TRAME" and u.raw.strip() == "TEST"), None)
        if test is not None:
            return Decoded(None, (*refused, Refused(test.label, test.raw, Reason.TEST_FRAME)))
        if any(u.label == _OF_SAPHIR for u in unknown):
            unknown.extend(Unknown(mode, r.label, r.raw) for r in refused if r.reason is Reason.STAMP)
            refused = [r for r in refused if r.reason is not Reason.STAMP]
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
