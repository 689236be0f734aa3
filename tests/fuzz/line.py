"""Coverage-guided fuzzing of a line: `make fuzz`, or `python -m tests.fuzz.line CORPUS [options of libFuzzer]`.

An input is one byte of options, one that tells how the stream is cut, then the stream. What fails is written to
`crash-*`; `python -m tests.fuzz.line crash-...` runs it again. It becomes a file of `tests/fuzz/found`, and a test.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path
from typing import Final

from tests.bridge.wire import checksum

CAPTURES: Final = Path(__file__).parents[1] / "captures"
FOUND: Final = Path(__file__).parent / "found"
_LONGEST: Final = 3000  # four frames of mode standard; more is slower and finds no more


def run(data: bytes) -> None:
    """One input."""
    from bridge.tic.catalogue import Mode  # noqa: PLC0415  not before atheris instruments what is imported
    from tests.bridge.invariants import hold  # noqa: PLC0415  as above

    if len(data) < 2:
        return
    options, cut, stream = data[0], data[1], data[2:]
    mode = (None, None, *Mode)[options & 0x03]
    if options & 0x04:  # a line that delivers its parity; bit 7 of the input damages it
        stream = bytes((n & 0x7F | (n & 0x7F).bit_count() % 2 << 7) ^ (n & 0x80) for n in stream)
    rng = random.Random(cut)
    sizes = [rng.choice((1, 2, 7, 60, 700)) for _ in range(cut)]
    hold(stream, sizes, mode, "cave" if options & 0x08 else None)


def seeds() -> dict[str, bytes]:
    """What fuzzing starts from: frames of the captures, and what was found before."""
    inputs = {path.name: path.read_bytes() for path in sorted(FOUND.glob("*")) if path.suffix != ".md"}
    for capture in sorted(CAPTURES.glob("*.tic")):
        stream = capture.read_bytes()
        frames = re.findall(b"\x02[^\x02]*", stream)
        for options in (0, 4, 8):
            inputs[f"{capture.stem}-{options}-one"] = bytes((options, 9)) + frames[0]
            inputs[f"{capture.stem}-{options}-more"] = bytes((options, 40)) + b"".join((frames * 3)[:3])
    return inputs


def repaired(data: bytes, rng: random.Random) -> bytes:
    """The input with the checksum of some groups made right again, as random bytes would be only once in 64."""

    def repair(found: re.Match[bytes]) -> bytes:
        group = found[1]
        area = group[:-1] if group[-2:-1] == b"\t" else group[:-2]
        return b"\n" + area + group[len(area) : -1] + checksum(area) + b"\r" if rng.random() < 0.8 else found[0]

    return data[:2] + re.sub(rb"\n([^\n\r]{3,})\r", repair, data[2:])


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415  an optional dependency, group `fuzz`

    with atheris.instrument_imports(include=["bridge"]):
        import tests.bridge.invariants  # noqa: F401, PLC0415

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        mutated = atheris.Mutate(data, size)
        rng = random.Random(seed)
        return repaired(mutated, rng) if rng.random() < 0.7 else mutated

    folders = [Path(argument) for argument in sys.argv[1:] if not argument.startswith("-")]
    if folders and not folders[0].is_file():
        folders[0].mkdir(parents=True, exist_ok=True)
        for name, data in seeds().items():
            (folders[0] / name).write_bytes(data)
    atheris.Setup([sys.argv[0], f"-max_len={_LONGEST}", *sys.argv[1:]], run, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
