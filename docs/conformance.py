"""The tables of Enedis-NOI-CPT_54E v3, row by row: what ticbridge makes of each, and which tests show it.

The rows are the note's own, copied from it and not from the catalogue. What stands beside them is looked up: in the
catalogue, in the expectations of the captures, and in the parameters of the tests that pytest collects. A row that the
catalogue lacks or contradicts, or that no test covers, raises `Unproven`.
"""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import starmap
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from bridge.tic.catalogue import BY_LABEL, DERIVED, Field, Mode
from bridge.tic.values import PhaseLoss, Relays, StatusRegister, Switch, read_stamp

ROOT: Final = Path(__file__).resolve().parent.parent
TESTS: Final = "tests/bridge/tic"

# label, characters, unit; then H dated, T three phases only, P producer only
HISTORIQUE: Final = """
    ADCO 12, OPTARIF 4, ISOUSC 2 A, BASE 9 Wh, HCHC 9 Wh, HCHP 9 Wh, EJPHN 9 Wh, EJPHPM 9 Wh, BBRHCJB 9 Wh,
    BBRHPJB 9 Wh, BBRHCJW 9 Wh, BBRHPJW 9 Wh, BBRHCJR 9 Wh, BBRHPJR 9 Wh, PEJP 2 min, PTEC 4, DEMAIN 4, IINST 3 A,
    ADPS 3 A, IMAX 3 A, PAPP 5 VA, HHPHC 1, MOTDETAT 6,
    IINST1 3 A T, IINST2 3 A T, IINST3 3 A T, IMAX1 3 A T, IMAX2 3 A T, IMAX3 3 A T, PMAX 5 W, PPOT 2,
    ADIR1 3 A T, ADIR2 3 A T, ADIR3 3 A T
"""
STANDARD: Final = """
    ADSC 12, VTIC 2, DATE 0 H, NGTF 16, LTARF 16, EAST 9 Wh, EASF01 9 Wh, EASF02 9 Wh, EASF03 9 Wh, EASF04 9 Wh,
    EASF05 9 Wh, EASF06 9 Wh, EASF07 9 Wh, EASF08 9 Wh, EASF09 9 Wh, EASF10 9 Wh, EASD01 9 Wh, EASD02 9 Wh,
    EASD03 9 Wh, EASD04 9 Wh, EAIT 9 Wh P, ERQ1 9 VArh P, ERQ2 9 VArh P, ERQ3 9 VArh P, ERQ4 9 VArh P, IRMS1 3 A,
    IRMS2 3 A T, IRMS3 3 A T, URMS1 3 V, URMS2 3 V T, URMS3 3 V T, PREF 2 kVA, PCOUP 2 kVA, SINSTS 5 VA,
    SINSTS1 5 VA T, SINSTS2 5 VA T, SINSTS3 5 VA T, SMAXSN 5 VA H, SMAXSN1 5 VA HT, SMAXSN2 5 VA HT, SMAXSN3 5 VA HT,
    SMAXSN-1 5 VA H, SMAXSN1-1 5 VA HT, SMAXSN2-1 5 VA HT, SMAXSN3-1 5 VA HT, SINSTI 5 VA P, SMAXIN 5 VA HP,
    SMAXIN-1 5 VA HP, CCASN 5 W H, CCASN-1 5 W H, CCAIN 5 W HP, CCAIN-1 5 W HP, UMOY1 3 V H, UMOY2 3 V HT,
    UMOY3 3 V HT, STGE 8, DPM1 2 H, FPM1 2 H, DPM2 2 H, FPM2 2 H, DPM3 2 H, FPM3 2 H, MSG1 32, MSG2 16, PRM 14,
    RELAIS 3, NTARF 2, NJOURF 2, NJOURF+1 2, PJOURF+1 98, PPOINTE 98
"""
# lowest bit, how many, what the note calls it, what we call it
STGE: Final = (
    (0, 1, "Contact sec", "dry_contact_closed"),
    (1, 3, "Organe de coupure", "breaker"),
    (4, 1, "État du cache-bornes distributeur", "terminal_cover"),
    (5, 1, "Non utilisé", None),
    (6, 1, "Surtension sur une des phases", "overvoltage"),
    (7, 1, "Dépassement de la puissance de référence", "over_power"),
    (8, 1, "Fonctionnement producteur/consommateur", "role"),
    (9, 1, "Sens de l'énergie active", "energy_direction"),
    (10, 4, "Tarif en cours sur le contrat fourniture", "tariff_index"),
    (14, 2, "Tarif en cours sur le contrat distributeur", "distributor_tariff"),
    (16, 1, "Mode dégradé de l'horloge", "clock_degraded"),
    (17, 1, "État de la sortie télé-information", "tic_output"),
    (18, 1, "Non utilisé", None),
    (19, 2, "État de la sortie communication Euridis", "euridis"),
    (21, 2, "Statut du CPL", "plc"),
    (23, 1, "Synchronisation CPL", "plc_synchronised"),
    (24, 2, "Couleur du jour pour le contrat historique tempo", "tempo_today"),
    (26, 2, "Couleur du lendemain pour le contrat historique tempo", "tempo_tomorrow"),
    (28, 2, "Préavis pointes mobiles", "peak_notice"),
    (30, 2, "Pointe mobile (PM)", "peak"),
)
SEASONS: Final = (
    (" ", "Non applicable (DPMn, FPMn)"), ("H", "Heure d'hiver"), ("E", "Heure d'été"),
    ("h", "Heure d'hiver, mode dégradé"), ("e", "Heure d'été, mode dégradé"),
)  # fmt: skip
# lowest bit of SSSS, how many, what the note calls it, what we call it
BLOCK: Final = (
    (0, 4, "Numéro index de ventilation", "index"),
    (4, 7, "Pilotage des 7 contacts virtuels", "virtual"),
    (11, 3, "Non utilisé", None),
    (14, 2, "Gestion contact sec", "contact"),
)
AT_REST: Final[dict[str, object]] = {"index": None, "virtual": [], "contact": "unchanged"}
# where we know better than the table's head
OTHERWISE: Final = {"PMAX": 'VA: the table is headed W, its row says "Smax (en VA) du jour n-1"'}


class Unproven(Exception):  # noqa: N818  a finding, not an error
    """Rows of the note that we lack, contradict or do not test."""


class Run(NamedTuple):
    """A test, and what one run of it is about."""

    name: str  # path::function
    about: dict[str, Any]  # its parameters


def collected() -> list[Run]:
    """The parametrised tests of the meter's language, as pytest finds them."""

    class Collector:
        items: tuple[pytest.Item, ...] = ()

        def pytest_collection_finish(self, session: pytest.Session) -> None:
            self.items = tuple(session.items)

    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        failed = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", "--rootdir", str(ROOT), str(ROOT / TESTS)], [collector]
        )
    if failed:
        raise Unproven(said.getvalue())
    return [
        Run(f"{item.path.relative_to(ROOT)}::{item.originalname}", dict(item.callspec.params))
        for item in collector.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
    ]


def captured() -> dict[str, list[dict[str, Any]]]:
    """What each capture says, frame by frame: its values, and its horodates under "stamps"."""
    return {
        path.stem: [
            {**frame["values"], "stamps": frame["stamps"]} for frame in json.loads(path.read_text(encoding="utf-8"))
        ]
        for path in sorted((ROOT / "tests" / "captures").glob("*.json"))
    }


class Page:
    """Looks up what covers each row, and keeps what nothing covers."""

    def __init__(self, runs: Iterable[Run], captures: dict[str, list[dict[str, Any]]]) -> None:
        self._runs = list(runs)
        self._captures = captures
        self._numbers: dict[str, int] = {}
        self._unproven: list[str] = []

    def text(self) -> str:
        """The whole page; `Unproven` when a row has no test."""
        parts = [
            self._labels("6.1 Mode historique", Mode.HISTORIQUE, HISTORIQUE),
            _table("6.1.2 PPOT", "topic", map(self._phase, (1, 2, 3))),
            self._labels("6.2.2 Mode standard", Mode.STANDARD, STANDARD),
            _table("6.2.1.1 Horodate", "we read", starmap(self._season, SEASONS), where="letter"),
            _table("6.2.3.14 STGE", "part of `stge`, or topic", starmap(self._part, STGE)),
            _table("6.2.3.19 RELAIS", "topic", map(self._relay, range(1, 9))),
            _table(
                "6.2.3.22 PJOURF+1, 6.2.3.23 PPOINTE",
                "key of a block",
                [self._time(), self._free(), *starmap(self._action, BLOCK)],
            ),
            "### Tests\n\n" + "\n".join(f"{number}. `{name}`" for name, number in self._numbers.items()),
        ]
        if self._unproven:
            raise Unproven("\n".join(self._unproven))
        return "\n\n".join(parts)

    # --- the tables ------------------------------------------------------------------------------

    def _labels(self, title: str, mode: Mode, note: str) -> str:
        lines = [
            f"### {title}\n",
            "| label | the note says | topic | type | captures | tests |",
            "|---|---|---|---|---|---|",
        ]
        rows = [row.split() for row in note.split(",")]
        lines += [self._label(mode, *row) for row in rows]
        beyond = [label for label in BY_LABEL[mode] if label not in {label for label, *_ in rows}]
        if beyond:
            lines.append(f"\nBeyond the note, as pilot meters spell it: {', '.join(beyond)}.")
        lines += [f"\n{label}: {why}." for label, why in OTHERWISE.items() if label in BY_LABEL[mode]]
        return "\n".join(lines)

    def _label(self, mode: Mode, label: str, characters: str, *rest: str) -> str:
        flags = rest[-1] if rest and not set(rest[-1]) - set(_FLAGS) else ""
        unit = rest[0] if rest and rest[0] != flags else ""
        field = BY_LABEL[mode].get(label)
        if field is None:
            self._unproven.append(f"{label} is not in the catalogue")
            return ""
        ours = (field.digits, field.unit.lower(), field.dated, bool(field.phase), field.producer)
        note = (int(characters), unit.lower(), "H" in flags, "T" in flags, "P" in flags)
        if ours != note and label not in OTHERWISE:
            self._unproven.append(f"{label}: the note says {note}, the catalogue {ours}")
        said = ", ".join(part for part in (characters, unit, *(_FLAGS[flag] for flag in flags)) if part)
        kind = ", ".join(part for part in (field.quantity.value, field.unit) if part)
        covered = self._covered(label, lambda run: _row_of(run) is field, lambda values: field.slug in values)
        return f"| {label} | {said} | `{field.slug}` | {kind} | {covered} |"

    def _phase(self, n: int) -> str:
        self._reads(f"PPOT phase {n}", {n}, lambda bits: n in PhaseLoss(bits).missing, size=4)
        covered = self._covered(
            f"PPOT phase {n}",
            lambda run: n in run.about.get("missing", ()),
            lambda values: int(values.get("ppot", "0"), 16) >> n & 1,
        )
        return f"| bit {n} | Absence de la phase {n} | `ppot` | {covered} |"

    def _season(self, letter: str, meaning: str) -> str:
        covered = self._covered(
            f"season {letter!r}",
            lambda run: "instant" in run.about and run.about["raw"][0] == letter,
            lambda values: any(stamp[0] == letter for stamp in values["stamps"].values()),
        )
        offset = "the zone's rules" if letter == " " else f"{read_stamp(letter + '200101000000').at:%z}"
        return f"| `{letter}` | {meaning} | {offset} | {covered} |"

    def _part(self, low: int, width: int, name: str, part: str | None) -> str:
        row, bits = f"STGE {_span(low, width)}", set(range(low, low + width))
        self._reads(row, bits, lambda n: [getattr(StatusRegister(n), p) for p in _PARTS if part in (p, None)], 32, part)
        covered = self._covered(
            row,
            # it tries each code at the bits that the note gives, or says what a register means that has one of them
            lambda run: (
                (low, width, part) == tuple(run.about.get(key) for key in ("low", "width", "part"))
                or ("said" in run.about and _is_set(int(run.about["raw"], 16), bits))
            ),
            lambda values: _is_set(int(values.get("stge", "0"), 16), bits),
        )
        ours = "left out" if part is None else f"`{part}`" if part in DERIVED else f"`{part}` (of `stge` only)"
        return f"| {_span(low, width)} | {name} | {ours} | {covered} |"

    def _relay(self, n: int) -> str:
        self._reads(f"relay {n}", {n - 1}, lambda bits: Relays(bits).closed(n), size=8)
        covered = self._covered(
            f"relay {n}",
            lambda run: n in run.about.get("closed", ()),
            lambda values: _is_set(values.get("relais", 0), {n - 1}),
        )
        return f"| bit {n - 1} | Relais {n} ({'réel' if n == 1 else 'virtuel'}) | `relay_{n}` | {covered} |"

    def _time(self) -> str:
        covered = self._covered("HHMM", lambda run: bool(_profile_in(run)), lambda values: any(_profiles(values)))
        return f"| HHMM | Heure et minute du créneau | `at` | {covered} |"

    def _free(self) -> str:
        covered = self._covered(
            "NONUTILE",
            lambda run: "NONUTILE" in _profile_in(run),
            lambda values: any(0 < len(profile) < 11 for profile in _profiles(values)),
        )
        return f"| NONUTILE | Créneau non utilisé | left out | {covered} |"

    def _action(self, low: int, width: int, name: str, key: str | None) -> str:
        row, bits = f"SSSS, {_span(low, width)}", set(range(low, low + width))
        self._reads(row, bits, lambda n: [getattr(Switch("", n), k) for k in AT_REST if key in (k, None)], 16, key)
        covered = self._covered(
            row,
            lambda run: _is_set(run.about.get("block", 0), bits),
            lambda values: key and any(b[key] != AT_REST[key] for profile in _profiles(values) for b in profile),
        )
        return f"| {row} | {name} | {f'`{key}`' if key else 'left out'} | {covered} |"

    # --- what covers a row -----------------------------------------------------------------------

    def _covered(self, row: str, tested: Callable[[Run], bool], said: Callable[[dict[str, Any]], Any]) -> str:
        """The last two cells of a row."""
        names = sorted({run.name for run in self._runs if tested(run)})
        if not names:
            self._unproven.append(f"{row}: no test covers it")
        numbers = sorted(self._numbers.setdefault(name, len(self._numbers) + 1) for name in names)
        captures = [name for name, frames in self._captures.items() if any(said(values) for values in frames)]
        more = f" and {len(captures) - 1} more" if len(captures) > 1 else ""
        return f"{captures[0] if captures else '-'}{more} | {', '.join(map(str, numbers))}"

    def _reads(
        self, row: str, bits: set[int], read: Callable[[int], Any], size: int, name: str | None = "named"
    ) -> None:
        """Whether what we read depends on these bits and on no others; what has no name, on none of them."""
        alive = {bit for bit in range(size) if read(1 << bit) != read(0)}
        alive, due = (alive, bits) if name else (alive & bits, set())
        if alive != due:
            self._unproven.append(f"{row}: we read bits {sorted(alive)}")


_FLAGS: Final = {"H": "dated", "T": "three phases", "P": "producer"}
_PARTS: Final = tuple(part for *_, part in STGE if part)


def _table(title: str, ours: str, rows: Iterable[str], where: str = "where") -> str:
    head = [f"### {title}\n", f"| {where} | the note says | {ours} | captures | tests |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _span(low: int, width: int) -> str:
    return f"bit {low}" if width == 1 else f"bits {low} to {low + width - 1}"


def _is_set(number: int, bits: Iterable[int]) -> bool:
    return any(number >> bit & 1 for bit in bits)


def _row_of(run: Run) -> Field | None:
    """The row of the catalogue that a test is about."""
    row, label, mode = run.about.get("row"), run.about.get("label"), run.about.get("mode", Mode.STANDARD)
    if isinstance(row, Field):
        return row
    return BY_LABEL[mode].get(label) if isinstance(mode, Mode) and isinstance(label, str) else None


def _profile_in(run: Run) -> str:
    """The day profile that a test reads, as sent."""
    is_one = run.about.get("label") in ("PJOURF+1", "PPOINTE") and "json" in run.about
    return str(run.about["raw"]) if is_one else ""


def _profiles(values: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    return (values[slug] for slug in ("pjourf_next", "ppointe") if values.get(slug))


def conformance() -> str:
    """The generated part of `docs/reference/conformance.md`."""
    return Page(collected(), captured()).text()
