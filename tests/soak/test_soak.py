"""The judge of `make soak` is worth something only if it sees what grows."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.soak.__main__ import draw, keep, wrong
from tests.soak.plot import svg
from tests.soak.samples import Sample, Usage, growth, usage

LEVEL = [
    Sample(5.0 * n, 1000 * n, {"bridge": Usage(40 + n % 3 / 10, 20, 7), "store": Usage(100, 14, 5)}, n % 7, 5.0, 9.0,
           1000 * n, n, n % 12 > 6)
    for n in range(200)
]  # fmt: skip


def grown(n: int, sample: Sample, **change: float) -> Sample:
    """The bridge takes more from sample to sample."""
    usage = sample.usage["bridge"]
    taken = Usage(
        usage.memory + n * change.get("memory", 0.0),
        usage.descriptors + int(n * change.get("descriptors", 0.0)),
        usage.threads + int(n * change.get("threads", 0.0)),
    )
    return replace(sample, usage=sample.usage | {"bridge": taken})


def test_what_stays_level_is_well() -> None:
    assert list(wrong(LEVEL)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda n, s: grown(n, s, memory=0.0101), "bridge grows by 1.01 MB for each 100 000 frames"),
        (lambda n, s: grown(n, s, descriptors=1 / 80), "bridge had 20 descriptors and has 22"),
        (lambda n, s: grown(n, s, threads=1 / 150), "bridge had 7 threads and has 8"),
        (lambda n, s: replace(s, waiting=10 * n), "1990 readings wait in the spool"),
    ],
)
def test_what_grows_is_named(change: Callable[[int, Sample], Sample], said: str) -> None:
    samples = [change(n, sample) for n, sample in enumerate(LEVEL)]
    assert list(wrong(samples)) == [said]


def test_growth_is_that_of_a_line_through_the_samples() -> None:
    samples = [grown(n, sample, memory=0.5) for n, sample in enumerate(LEVEL)]
    assert growth(samples, "bridge") == pytest.approx(50, abs=0.1)
    assert growth(samples, "store") == 0


def test_a_process_is_measured(tmp_path: Path) -> None:
    before = usage(os.getpid())
    with (tmp_path / "x").open("w"):
        assert usage(os.getpid()).descriptors == before.descriptors + 1
    assert before.memory > 10
    assert before.threads >= 1


def test_graphs_are_images_and_samples_are_kept(tmp_path: Path) -> None:
    draw(LEVEL, tmp_path)
    keep(LEVEL, tmp_path / "samples.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "long-life-database.svg", "long-life-descriptors.svg", "long-life-memory.svg", "long-life-spool.svg",
        "samples.csv",
    ]  # fmt: skip
    root = ElementTree.fromstring(svg("<Memory>", "frames", "MB", {"bridge": [(0, 1), (10, 2)]}))
    [line] = [element for element in root if element.tag.endswith("polyline")]
    assert line.attrib["points"] == "60.0,128.2 710.0,46.4"
    assert len((tmp_path / "samples.csv").read_text().splitlines()) == len(LEVEL) + 1
