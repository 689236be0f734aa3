"""Each recorded meter, whole: `NAME.tic` decodes to `NAME.json`. A new meter is a new pair of files."""

from __future__ import annotations

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner

from bridge.cli import decode
from tests import reference_decoder
from tests.reference_decoder import HISTORIQUE, STANDARD, slug

HERE: Final = Path(__file__).parent
CAPTURES: Final = sorted(HERE.glob("*.tic"))
README: Final = (HERE / "README.md").read_text(encoding="utf-8")
COOKED: Final = "hist_tri_base_cooked_tty"
WIDTHS: Final = {label: width for table in (STANDARD, HISTORIQUE) for label, (_, width) in table.items()}

each_capture = pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)


def rows(title: str) -> dict[str, list[list[str]]]:
    """The cells of a table of README.md, by file."""
    table = README.partition(title)[2].partition("\n\n")[0]
    found: dict[str, list[list[str]]] = {}
    for line in table.splitlines()[2:]:
        name, *cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        found.setdefault(name, []).append(cells)
    return found


PROVENANCE: Final = rows("Groups | Valid | Serial | Source | Note |")
DIFFERENCES: Final = rows("The decoder says | Because |")


def expected(capture: Path) -> list[dict[str, Any]]:
    frames: list[dict[str, Any]] = json.loads(capture.with_suffix(".json").read_text(encoding="utf-8"))
    return frames


def decoded(capture: Path, *options: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(decode, [str(capture), "--json", *options])
    not_raw = f"ticbridge: The terminal is not raw: on {capture} CR and LF are exchanged or ETX is swallowed."
    said = not_raw if capture.stem == COOKED else ""
    assert (done.exit_code, done.stderr[: len(not_raw)]) == (0, said)
    return [json.loads(line) for line in done.stdout.splitlines()]


# --- what is expected ----------------------------------------------------------------------------


@each_capture
def test_an_expectation_is_what_the_reference_decoder_says(capture: Path) -> None:
    assert capture.with_suffix(".json").read_text(encoding="utf-8") == reference_decoder.written(capture.read_bytes())


def test_the_reference_decoder_is_run_as_a_command(tmp_path: Path) -> None:
    capture = tmp_path / CAPTURES[0].name
    capture.write_bytes(CAPTURES[0].read_bytes())
    reference_decoder.main([str(capture)])
    assert expected(capture) == expected(CAPTURES[0])


def test_the_reference_decoder_shares_nothing_with_the_product() -> None:
    tree = ast.parse(Path(reference_decoder.__file__).read_text(encoding="utf-8"))
    imported = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or "."]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - sys.stdlib_module_names == set()


# --- the decoder ---------------------------------------------------------------------------------


@each_capture
def test_the_decoder_says_what_the_reference_says_of_every_group(capture: Path) -> None:
    assert decoded(capture, "--no-guard") == expected(capture)


@each_capture
def test_the_guard_differs_where_the_readme_says_so_and_nowhere_else(capture: Path) -> None:
    frames = expected(capture)
    for number, labels, said, _ in DIFFERENCES.get(capture.name, []):
        frame = frames[int(number) - 1]
        if labels == "(the meter)":
            frame["meter"] = said.strip("`")
            continue
        for label in labels.split():
            raw = str(frame["values"].pop(slug(label))).zfill(WIDTHS[label])
            frame["stamps"].pop(slug(label), None)
            frame["refused"].append({"label": label, "raw": raw, "reason": said.strip("`")})
    assert decoded(capture) == frames


def test_a_terminal_in_cooked_mode_costs_no_group_that_proves_itself() -> None:
    frames = decoded(HERE / f"{COOKED}.tic")
    assert sum(len(frame["values"]) for frame in frames) == int(PROVENANCE[f"{COOKED}.tic"][0][5])


# --- the page about them -------------------------------------------------------------------------


def test_every_capture_has_its_expectation_and_every_expectation_its_capture() -> None:
    assert [path.stem for path in CAPTURES] == sorted(path.stem for path in HERE.glob("*.json"))


def test_every_capture_has_its_provenance() -> None:
    assert [(name, len(cells)) for name, cells in PROVENANCE.items()] == [(path.name, 1) for path in CAPTURES]


def test_every_difference_has_its_argument() -> None:
    for cells in (cells for differences in DIFFERENCES.values() for cells in differences):
        assert f"\n**{cells[-1].strip(' |')}. " in README


@each_capture
def test_groups_are_counted_right(capture: Path) -> None:
    data = capture.read_bytes()
    if capture.stem == COOKED:
        data = re.sub(rb"\n(?=[\n\x02])", b"\r", data)
    groups = re.findall(rb"\n([^\n\r\x02\x03\x04]+)\r", data)
    valid = sum(_proves_itself(group) for group in groups)
    assert PROVENANCE[capture.name][0][4:6] == [str(len(groups)), str(valid)]


def _proves_itself(group: bytes) -> bool:
    """By the note alone, as in the reference decoder (54E sections 5.2 and 5.3.6)."""
    area = {b"\t": group[:-1], b" ": group[:-2]}.get(group[-2:-1], b"")
    return bool(area) and (sum(area) & 0x3F) + 0x20 == group[-1]
