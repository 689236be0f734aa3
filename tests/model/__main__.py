"""Check `docs/design/handover.pml` with Spin, whole and broken: `make model`; exits 1 when a verdict is another.

Names of configurations as arguments: only these. What Spin made of each stays in `build/model/NAME`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from tests.model.outcome import HOLDS, STUCK, Outcome, UnclearError, read

_ROOT: Final = Path(__file__).resolve().parents[2]
_MODEL: Final = _ROOT / "docs" / "design" / "handover.pml"
_BUILD: Final = _ROOT / "build" / "model"
_AT_ONCE: Final = 2
_SECONDS: Final = 900  # for one configuration; the longest takes one minute
_DEPTH: Final = 1_000_000
_MEGABYTES: Final = 1_500


class Configuration(NamedTuple):
    """A size of the model, or a way to break it."""

    name: str
    flags: str
    expected: str = HOLDS

    @property
    def is_fair(self) -> bool:
        """Whether it asks for progress, too."""
        return "FAIR" in self.flags.split()


_CONFIGURATIONS: Final = (
    # The longest first: two run at once.
    Configuration("fair-2-1", "FAIR N0=2 N1=1 WORKERS=1"),
    Configuration("fair-3-overflow", "FAIR N0=3 N1=0 WORKERS=1"),
    Configuration("fair-1-1-workers", "FAIR N0=1 N1=1"),
    Configuration("fair-2-workers", "FAIR N0=2 N1=0"),
    Configuration("fair-endless", "FAIR ENDLESS N0=1 N1=1 WORKERS=1"),
    Configuration("fair-batch", "FAIR N0=1 N1=0 BATCH=2 QUEUE=3"),
    Configuration("worst-3-2", "N0=3 N1=2 WORKERS=1"),
    Configuration("worst-2-2-workers", "N0=2 N1=2"),
    Configuration("worst-2-1-batch", "N0=2 N1=1 BATCH=2"),
    Configuration("worst-3-workers", "N0=3 N1=0"),
    Configuration("release-on-puback", "RELEASE_ON_PUBACK", "lost"),
    Configuration("watermark-before-commit", "WATERMARK_BEFORE_COMMIT", "ahead"),
    Configuration("no-unique-key", "NO_UNIQUE_KEY", "twice"),
    Configuration("keep-gap", "KEEP_GAP N0=3 N1=0", "false_gap"),
    Configuration("drop-tail", "DROP_TAIL N0=1 N1=2", "lost"),
    Configuration("plain-watermark", "PLAIN_WATERMARK", "lost"),
    Configuration("no-repeat", "FAIR NO_REPEAT N0=1 N1=0", STUCK),
    Configuration("floor-at-accept", "FAIR FLOOR_AT_ACCEPT N0=3 N1=0 WORKERS=1", STUCK),
    Configuration("shared-status", "FAIR SHARED_STATUS N0=1 N1=0", STUCK),
    Configuration("progress-of-any", "FAIR ENDLESS PROGRESS_OF_ANY N0=1 N1=1 WORKERS=1", STUCK),
    Configuration("forget-sent", "FAIR FORGET_SENT N0=1 N1=0", STUCK),
)


def main(names: Sequence[str]) -> int:
    """Run them all, two at a time, and print the table."""
    if unknown := set(names) - {one.name for one in _CONFIGURATIONS}:
        _say(f"no such configuration: {', '.join(sorted(unknown))}")
        return 2
    if missing := [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]:
        _say(f"make model needs {' and '.join(missing)}: on Debian, sudo apt install spin gcc libc6-dev")
        return 1
    chosen = [one for one in _CONFIGURATIONS if not names or one.name in names]
    _say("| configuration | flags | states | steps | expected | got |\n|---|---|---|---|---|---|")
    wrong = 0
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for one, outcome in zip(chosen, pool.map(_check, chosen), strict=True):
            wrong += outcome.verdict != one.expected
            states, steps = f"{outcome.states:,}".replace(",", " "), outcome.steps or ""
            _say(f"| {one.name} | {one.flags} | {states} | {steps} | {one.expected} | {outcome.verdict} |")
    _say(f"{wrong} of {len(chosen)} not as expected")
    return 1 if wrong else 0


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  a tool's output


def _check(one: Configuration) -> Outcome:
    """Generate, compile and run the verifier of one configuration."""
    folder = _BUILD / one.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Every interleaving (NOREDUCE). Breadth first finds the shortest way to a broken assertion; cycles want depth.
    breadth = not one.is_fair and one.expected != HOLDS
    search = ["-DNFAIR=3"] if one.is_fair else ["-DSAFETY", "-DBFS"] if breadth else ["-DSAFETY"]
    flags = [f"-D{flag}" for flag in [*one.flags.split(), *(["SCRATCH="] if breadth else [])]]
    compiler = ["gcc", "-O2", "-w", "-DNOREDUCE", "-DCOLLAPSE", f"-DMEMLIM={_MEGABYTES}", *search, "-o", "pan", "pan.c"]
    verifier = ["./pan", f"-m{_DEPTH}", *(["-a", "-f"] if one.is_fair else [])]
    try:
        _run(["spin", "-a", *flags, str(_MODEL)], folder)
        _run(compiler, folder)
        output = _run(verifier, folder)
        (folder / "pan.out").write_text(output)
        return read(output)
    except (UnclearError, subprocess.SubprocessError) as error:
        return Outcome(f"unclear: {error}", 0)


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, text=True, capture_output=True, timeout=_SECONDS, check=False)
    output = done.stdout + done.stderr
    if done.returncode or "Error:" in output:
        raise UnclearError(f"{command[0]}: {(output.strip().splitlines() or ['failed'])[-1]}")
    return output


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
