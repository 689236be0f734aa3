"""Each recorded meter, whole: `NAME.tic` decodes to `NAME.json`. A new meter is a new pair of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli import decode

CAPTURES = sorted(Path(__file__).parent.glob("*.tic"))


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda path: path.stem)
def test_a_capture_decodes_to_what_was_reviewed_by_hand(capture: Path) -> None:
    done = CliRunner().invoke(decode, [str(capture), "--json"])
    assert (done.exit_code, done.stderr) == (0, "")
    expected = json.loads(capture.with_suffix(".json").read_text(encoding="utf-8"))
    assert [json.loads(line) for line in done.stdout.splitlines()] == expected


def test_every_capture_has_its_expectation_and_every_expectation_its_capture() -> None:
    expectations = Path(__file__).parent.glob("*.json")
    assert [path.stem for path in CAPTURES] == sorted(path.stem for path in expectations)


def test_every_capture_has_its_provenance() -> None:
    readme = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in CAPTURES if f"| {path.name} |" not in readme] == []
