"""The mutation score of what `mutmut run` left in `mutants/`: `make mutation`; exits 1 below the bar."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Final

BAR: Final = 90.0
_MUTANTS: Final = Path("mutants")
_KILLED: Final = frozenset({1, 3, -24, 24, 36, 152, 255})  # a test failed, or the mutant ran out of time


def main() -> int:
    """Print the score of each file."""
    below, seen = False, 0
    for results in sorted(_MUTANTS.rglob("*.py.meta")):
        codes = json.loads(results.read_text())["exit_code_by_key"]
        if not codes:
            continue
        count = Counter(code in _KILLED for code in codes.values())
        score = 100 * count[True] / len(codes)
        below |= score < BAR
        seen += 1
        name = results.relative_to(_MUTANTS).with_suffix("")
        print(f"{name!s:24}{len(codes):>6} mutants{count[False]:>5} survive{score:>8.1f} %")  # noqa: T201  a tool's output
        survivors = sorted(key for key, code in codes.items() if code not in _KILLED)
        print("".join(f"    {key}\n" for key in survivors), end="")  # noqa: T201  as above
    return 1 if below or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
