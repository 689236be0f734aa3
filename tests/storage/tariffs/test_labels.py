"""Words that meters say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from storage.tariffs.labels import meaning

CAPTURES = Path(__file__).parents[2] / "captures"
# What the recorded meters say. The words of a producer's index and of one that is not in use name no price.
SAID = {
    "HC": "hc", "HP": "hp", "TH": "base", "HN": "hn",
    "HCJB": "bleu_hc", "HCJR": "rouge_hc", "HPJB": "bleu_hp", "HPJW": "blanc_hp",
    "BASE": "base", "HEURE CREUSE": "hc", "HEURE PLEINE": "hp",
    "HC BLEU": "bleu_hc", "HP BLEU": "bleu_hp", "HC BLANC": "blanc_hc",
    "INDEX NON CONSO": "", "INDEX INACTIF 2": "",
}  # fmt: skip


def recorded() -> set[str]:
    found = set()
    for path in CAPTURES.glob("*.json"):
        for line in path.read_text().splitlines():
            found |= _labels(json.loads(line)) if line.startswith("{") and line.endswith("}") else set()
        found |= _labels(json.loads(path.read_text())) if not found else set()
    return found


def _labels(node: object) -> set[str]:
    if isinstance(node, dict):
        own = {str(node[name]) for name in ("ltarf", "ptec") if isinstance(node.get(name), str)}
        return own.union(*(_labels(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_labels(value) for value in node))
    return set()


def test_every_word_of_a_recorded_meter_is_thought_of() -> None:
    said = {" ".join(label.split()) for label in recorded()}
    assert said, "no capture was read"
    assert said <= set(SAID), said - set(SAID)


@pytest.mark.parametrize(("label", "period"), SAID.items())
def test_the_words_of_meters(label: str, period: str) -> None:
    assert meaning(label) == period


@pytest.mark.parametrize("label", ["  HEURE  PLEINE ", "heures pleines", "HP", "HP.."])
def test_blanks_dots_and_letters_do_not_matter(label: str) -> None:
    assert meaning(label) == "hp"


@pytest.mark.parametrize("label", ["", "..", "HPX", "HC WEEK-END", "BLEU"])
def test_nothing_is_guessed(label: str) -> None:
    assert meaning(label) == ""
