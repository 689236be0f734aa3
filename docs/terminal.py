"""Pictures of a terminal, as SVG text: what docs/start/install.txt holds, which `make test-install` wrote."""

from __future__ import annotations

import textwrap
from itertools import takewhile
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

TRANSCRIPT: Final = Path(__file__).parent / "start/install.txt"
# Picture, below docs/ -> the beginning of the command that it shows.
PICTURES: Final = {
    "images/terminal/setup.svg": "sudo ticbridge setup",
    "images/terminal/check.svg": "sudo ticbridge check --language en",
    "images/terminal/check.fr.svg": "sudo ticbridge check --language fr",
}
_COLUMNS: Final = 104
_SIZE, _STEP, _EDGE = 13, 18, 16  # of the letters, from line to line, around them
_WIDTH: Final = 0.602 * _SIZE  # of a letter in the usual fonts of this kind
_COLOURS: Final = {"✓": "#7ee787", "⚠": "#e3b341", "✗": "#ff7b72", "$": "#79c0ff"}
_TEXT, _GROUND = "#e6edf3", "#161b22"
_FONT: Final = f'font-family="ui-monospace, Menlo, Consolas, DejaVu Sans Mono, monospace" font-size="{_SIZE}"'


def shown(command: str) -> list[str]:
    """A command of the transcript and what it printed, as wide as a terminal."""
    lines = TRANSCRIPT.read_text(encoding="utf-8").splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith(f"$ {command}"))
    said = list(takewhile(lambda line: not line.startswith("("), lines[at + 1 :]))
    wide = [lines[at], *said]
    wrap = textwrap.TextWrapper(_COLUMNS, subsequent_indent="        ", break_on_hyphens=False)
    return [part for line in wide for part in (wrap.wrap(line) or [""])]


def _coloured(line: str) -> str:
    """What a terminal shows in colour is what stands before two spaces; a prompt is coloured with its command."""
    colour, (head, space, rest) = _COLOURS.get(line[:1]), line.partition("  ")
    return f'<tspan fill="{colour}">{_escaped(head)}</tspan>{_escaped(space + rest)}' if colour else _escaped(line)


def _escaped(text: str) -> str:
    """SVG makes one of several spaces, but for those that break no line."""
    return escape(text).replace(" ", "\u00a0")


def picture(command: str) -> str:
    """The same as SVG."""
    lines = shown(command)
    width, height = round(2 * _EDGE + _COLUMNS * _WIDTH), 2 * _EDGE + _STEP * len(lines)
    rows = []
    for n, line in enumerate(lines):
        rows.append(f'<text x="{_EDGE}" y="{_EDGE + _STEP * n + _SIZE}">{_coloured(line)}</text>')
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" {_FONT}>'
    ground = f'<rect width="{width}" height="{height}" rx="8" fill="{_GROUND}"/><g fill="{_TEXT}">'
    return "\n".join([head, f"<title>{escape(command)}</title>", ground, *rows, "</g></svg>\n"])
