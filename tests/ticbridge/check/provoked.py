"""The table of docs/design/check.md: each fault that a test provokes, and what was printed then.

Run with PROVOKED=write, the tests write their rows; without, each finds its own as it stands there.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final, Literal

from ticbridge.commands.check.finding import Finding

PAGE: Final = Path(__file__).parents[3] / "docs" / "design" / "check.md"
BEGIN: Final = "<!-- written by the tests: PROVOKED=write -->"
END: Final = "<!-- written by the tests: end -->"

# For real: the thing itself is broken. Bytes: a line's, made by a model of a UART. Stand-in: what a program or a file
# of another machine would say.
How = Literal["for real", "bytes", "stand-in"]

# What differs from run to run.
_VARIES: Final = (
    (re.compile(r"/dev/pts/\d+"), "/dev/pts/5"),
    (re.compile(r"/tmp/pytest-[\w./-]*/test_\w+"), "FOLDER"),
    (re.compile(r"belongs to the group \w+"), "belongs to the group GROUP"),
    (re.compile(r"self[- ]signed"), "self-signed"),  # OpenSSL 1.1 and 3
    (re.compile(r"no way to the broker (.*): .*"), r"no way to the broker \1: ..."),  # as each kernel words it
    (re.compile(r"(127\.0\.0\.1|localhost|broker):\d+"), r"\1:PORT"),
    (re.compile(r"\((\d+)\)"), "(PID)"),
    (re.compile(r"check-[0-9a-f]{8}"), "check-x"),
    (re.compile(r"\d+ (MB|Mo)"), r"N \1"),
)


def rows() -> dict[tuple[str, str], str]:
    """(case, what was done) -> the row."""
    _, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    table = [line for line in rest.partition(END)[0].splitlines() if line.startswith("| `")]
    return {_key(line): line for line in table}


def _key(line: str) -> tuple[str, str]:
    case, _how, done, *_ = (cell.strip() for cell in line.strip("|").split(" | "))
    return case.strip("`"), done


def provoked(how: How, done: str, finding: Finding) -> str:
    """`done` was done, and this came of it: hold the page to it. The name of the case, for a test to compare."""
    sentence = finding.words("en").sentence
    for pattern, text in _VARIES:
        sentence = pattern.sub(text, sentence)
    said = f"{finding.case.state.value}: {sentence}".replace("|", "\\|")
    row = f"| `{finding.case.name}` | {how} | {done} | {said} |"
    key = (finding.case.name, done)
    if os.environ.get("PROVOKED") == "write":
        _write(rows() | {key: row})
    assert rows().get(key) == row, f"run the tests with PROVOKED=write, and look at the change of {PAGE}"
    return finding.case.name


def _write(table: dict[tuple[str, str], str]) -> None:
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    lines = "\n".join(table[key] for key in sorted(table))
    heading = "| case | how | what was done | what is printed |\n|---|---|---|---|"
    tail = rest.partition(END)[2]
    PAGE.write_text(f"{head}{BEGIN}\n\n{heading}\n{lines}\n\n{END}{tail}", encoding="utf-8")
