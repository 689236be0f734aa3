"""Every text of the store and its pages exists in French."""

from __future__ import annotations

import io
import re
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

ROOM = Path(__file__).parents[3] / "storage"
FRENCH = ROOM / "locale/fr/LC_MESSAGES/django.po"
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "_in": ((1, "c"), 2),  # words.py's short name of pgettext_lazy
}
Message = tuple[str | None, str]  # context, text


def messages() -> set[Message]:
    """What the sources ask gettext for."""
    found = set()
    for path in ROOM.rglob("*.py"):
        found |= _in_python(path.read_bytes())
    for path in ROOM.rglob("*.html"):
        calls = re.findall(r"(?:gettext|pgettext|_)\((?:[^()\"']|\"[^\"]*\"|'[^']*')*\)", templatize(path.read_text()))
        found |= _in_python("\n".join(calls).encode())
    return found


def _in_python(source: bytes) -> set[Message]:
    return {
        (context, text if isinstance(text, str) else text[0])
        for _, text, _, context in extract("python", io.BytesIO(source), KEYWORDS)
    }


def french() -> Catalog:
    """The French catalogue."""
    with FRENCH.open("rb") as file:
        return read_po(file, locale="fr")


def test_every_text_is_translated_and_no_translation_is_left_over() -> None:
    found = [m for m in french() if m.id and m.string and not m.fuzzy]
    translated = {(m.context, m.id if isinstance(m.id, str) else m.id[0]) for m in found}
    assert translated == messages()


def test_a_translation_keeps_the_places_for_values() -> None:
    def places(text: str) -> list[str]:
        return sorted(re.findall(r"\{\w+\}|%\(\w+\)s", text))

    wrong = [m.id for m in french() if m.id and places(str(m.id)) != places(str(m.string))]
    assert wrong == []


def test_apparent_power_is_never_called_watts() -> None:
    texts = {text for _, text in messages()} | {str(m.string) for m in french()}
    assert [text for text in texts if re.search(r"\bwatts?\b|\bk?W\b", text)] == []
