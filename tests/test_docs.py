"""The documentation says what the program does."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bridge.config import Settings, load
from docs import terminal
from docs.conformance import STANDARD, Page, Unproven, captured, collected
from ticbridge.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[1]


def test_the_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "generate.py"), "--check"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_shipped_configuration_is_the_defaults() -> None:
    assert load(ROOT / "config.yaml", {}) == Settings()


def test_the_shipped_configuration_shows_every_option() -> None:
    text = (ROOT / "config.yaml").read_text()
    shown = yaml.safe_load(re.sub(r"^( +)#(\w+:)", r"\1\2", text, flags=re.MULTILINE))
    assert set(shown) == set(Settings.model_fields)
    for section, keys in shown.items():
        model = Settings.model_fields[section].annotation
        if section == "meters":
            assert set(keys[0]) == {"source", "mode", "name", "id", "timezone"}
        elif isinstance(model, type):
            fields = {field.alias or name for name, field in model.model_fields.items()}
            assert set(keys) == fields - {"password", "token"}, section


@pytest.mark.parametrize("readme", ["README.md", "README.fr.md"])
def test_every_link_of_the_readme_leads_somewhere(readme: str) -> None:

    links = re.findall(r"\]\(([^)#]+)\)", (ROOT / readme).read_text())
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text())
    assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == []


def test_every_command_is_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    assert [name for name in COMMANDS if f"### {name}\n" not in page] == []


FOR_OWNERS = sorted(page for drawer in ("start", "how-to") for page in (ROOT / "docs" / drawer).glob("*.md"))


@pytest.mark.parametrize("page", FOR_OWNERS, ids=lambda page: page.name)
def test_what_owners_read_is_there_in_french_and_english(page: Path) -> None:
    name = page.name.partition(".")[0]
    assert (page.parent / f"{name}.md").exists()
    assert (page.parent / f"{name}.fr.md").exists()


def test_what_a_beginner_types_is_the_same_in_both_languages() -> None:
    """And what was typed on a clean Debian, when `make test-install` wrote what it showed."""
    typed = [
        re.findall(r"^(?:sudo|ssh) .+$", (ROOT / "docs/start" / page).read_text(), re.MULTILINE)
        for page in ("raspberry-pi.md", "raspberry-pi.fr.md")
    ]
    assert typed[0] == typed[1]
    tried = [line.removeprefix("$ ") for line in terminal.TRANSCRIPT.read_text().splitlines() if line.startswith("$ ")]
    assert [command for command in typed[0] if command.startswith("sudo") and " apt " not in command] == [
        tried[0], tried[1].partition(" --yes")[0],
    ]  # fmt: skip


# --- the seed's features -------------------------------------------------------------------------


API = (*range(40, 49), *range(50, 64), 80, 86, 87)
SERVICES = ("F28", "F29", "F30", "F31", "F32", "F33", "F34", "F35", "F36", "F38", "F98")
FEATURES = {
    *SERVICES,
    *(f"F{n}" for n in API),
    *(f"T{n}" for n in range(1, 24)),
    *(f"F{n}" for n in (*range(1, 28), 37, *range(70, 78), 79, 81, 88, 90, 95, 96, 97)),
    *(f"I{n}" for n in (*range(1, 7), 12)),
}


def features() -> dict[str, list[str]]:
    """The cells of each row, by its number, which stands once."""
    page = (ROOT / "docs" / "reference" / "seed-features.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line.startswith("|")]
    found = [cells for cells in rows if cells[0][1:].isdigit()]
    assert len({cells[0] for cells in found}) == len(found)
    return {cells[0]: cells[1:] for cells in found}


def test_every_feature_of_the_seed_has_its_row() -> None:
    assert set(features()) == FEATURES
    assert {row: len(cells) for row, cells in features().items()} == dict.fromkeys(FEATURES, 3)


def test_every_feature_of_the_seed_names_tests_that_exist() -> None:
    named = {row: re.findall(r"`(tests/[^`:]+)::([^`]+)`", cells[2]) for row, cells in features().items()}
    assert {row for row, tests in named.items() if not tests} == {"F8", "F72", "F77"}  # declined, or Python's own
    missing = [
        f"{path}::{name}"
        for tests in named.values()
        for path, name in tests
        if not re.search(rf"^(?:    )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE)
    ]
    assert missing == []


def test_every_file_where_a_feature_of_the_seed_lives_is_there() -> None:
    named = {name for cells in features().values() for name in re.findall(r"`([\w-]+/[^` ]+)`", cells[1])}
    assert len(named) > 30
    assert {name for name in named if not (ROOT / name).exists()} == set()


# --- conformance ---------------------------------------------------------------------------------


def test_a_row_of_the_note_without_a_test_makes_no_page() -> None:
    runs = [run for run in collected() if run.about.get("part") != "breaker" and "said" not in run.about]
    with pytest.raises(Unproven) as caught:
        Page(runs, captured()).text()
    assert str(caught.value).splitlines() == [
        f"STGE {bits}: no test covers it" for bits in ("bits 1 to 3", "bit 5", "bit 18")
    ]


def test_a_row_of_the_note_that_the_catalogue_lacks_or_contradicts_makes_no_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("docs.conformance.STANDARD", f"{STANDARD.replace('EAST 9 Wh', 'EAST 8 Wh')}, NEWLABEL 4")
    with pytest.raises(Unproven) as caught:
        Page(collected(), captured()).text()
    assert str(caught.value).splitlines() == [
        "EAST: the note says (8, 'wh', False, False, False), the catalogue (9, 'wh', False, False, False)",
        "NEWLABEL is not in the catalogue",
    ]


def test_bits_that_are_read_elsewhere_than_the_note_says_make_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docs.conformance.STGE", ((7, 1, "Surtension", "overvoltage"), (8, 1, "Non utilisé", None)))
    with pytest.raises(Unproven) as caught:
        Page(collected(), captured()).text()
    assert str(caught.value).splitlines() == ["STGE bit 7: we read bits [6]", "STGE bit 8: we read bits [8]"]
