"""What bridge, import and comparison say in English is read in French: each sentence that the sources know."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from errno import EACCES, EBUSY, EIO, ENOENT
from pathlib import Path

import pytest
from django.utils.translation import override

from bridge.detect import Cause, Verdict
from bridge.port import _cannot_open
from bridge.tic.catalogue import Mode
from storage.exchange.enedis.sheets import _WHAT
from storage.exchange.localtime import Doubt
from storage.web.sentences import in_words, marked

ROOT = Path(__file__).parents[3]
RAISERS = {"SourceError", "ExchangeError", "refuse", "_refuse"}
SOURCES = [
    "bridge/source.py", "bridge/port.py", "bridge/recording.py", "storage/exchange/files.py",
    "storage/exchange/intake.py", "storage/exchange/meters.py", "storage/exchange/tutorial.py",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "storage/exchange/enedis").glob("*.py")),
]  # fmt: skip
# Sentences that are put together of others, which stand below, and one that no page can cause.
COMPOSED = {
    "The port 7 7", "The port 7 7: 7", "7 7", "7: 7", "7: this is 7, not 7", "7 7: is it unplugged, or unable to?",
    "its time is 7", "7 is 7", "sim:7: 7 (for instance sim:tempo?mode=historique&phases=3)",
}  # fmt: skip


def _said(node: ast.expr) -> str:
    """The text of an expression, with 7 for whatever is put into it."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_said(part) for part in parts)
        case ast.BinOp(left=left, right=right):
            return _said(left) + _said(right)
        case _:
            return "7"


def raised() -> Iterator[str]:
    """What the sources refuse with."""
    for name in SOURCES:
        for node in ast.walk(ast.parse((ROOT / name).read_text())):
            if isinstance(node, ast.Call) and node.args:
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                text = _said(node.args[1] if called == "_refuse" else node.args[0])
                if called in RAISERS and text != "7":
                    yield f"line {text}" if text.startswith("7: this PRM") else text


def composed() -> Iterator[str]:
    """What is put together at run time."""
    for error in (OSError(ENOENT, ""), OSError(EACCES, ""), OSError(EBUSY, ""), OSError(EIO, ""), OSError("ioctl")):
        yield str(_cannot_open("/dev/ttyUSB0", error))
    for text in ("refused", "no route"):
        yield str(_cannot_open("socket://pi:2000", OSError(text)))
    for cause in set(Cause) - {Cause.PROVEN}:
        for speeds in ((), (1200,), (1200, 9600)):
            yield Verdict(cause, speeds, Mode.STANDARD, Mode.HISTORIQUE).sentence("/dev/ttyUSB0")
    yield from (f"conso.zip {what}" for what in _WHAT.values())
    yield from (f"its time is {doubt.value}" for doubt in Doubt)
    yield f"2026-03-29T02:30:00 is {Doubt.NEVER.value}"
    yield "/dev/ttyUSB0 cannot be set to 1200 baud (no such thing): is it unplugged, or unable to?"
    yield "its time is none that a clock showed"
    yield "line 3: this is consumption, not production"


def compared() -> Iterator[str]:
    """Why a comparison is not certain: the reasons of the rules, with the energy that is concerned."""
    reasons = {"_answer", "_why", "_by_clock", "parts", "_reasons"}
    for name in ("storage/tariffs/calendars.py", "storage/tariffs/comparison.py"):
        for function in ast.parse((ROOT / name).read_text()).body:
            if isinstance(function, ast.FunctionDef) and function.name in reasons:
                docstring = ast.get_docstring(function, clean=False)
                for node in ast.walk(function):
                    text = _said(node) if isinstance(node, ast.JoinedStr | ast.Constant) else ""
                    if text and text != docstring and re.match(r"\S.*(not known| are known|no rule)|no rule", text):
                        yield text if "kVA" in text else f"{text} (7.0 kWh)"


@pytest.mark.parametrize("text", sorted({*raised(), *composed(), *compared()} - COMPOSED))
def test_every_sentence_is_read_in_french(text: str) -> None:
    with override("fr"):
        french = in_words(text)
    assert french is not None
    assert french != text
    with override("en"):
        assert in_words(text) == text


def test_there_are_sentences() -> None:
    assert len(set(raised())) > 50
    assert len(set(compared())) >= 7


def test_what_is_quoted_is_read_in_french_too() -> None:
    with override("fr"):
        assert in_words("sheet 'Page 1', row 3: '1,x' is no number") == (
            "feuille 'Page 1', ligne 3 : '1,x' n’est pas un nombre"
        )
        assert in_words("line 3: this is consumption, not production") == (
            "ligne 3 : c’est de la consommation, et non de la production"
        )


def test_what_is_not_known_stays_english_and_says_so() -> None:
    with override("fr"):
        assert marked("A <new> trouble.") == '<span lang="en">A &lt;new&gt; trouble.</span>'
