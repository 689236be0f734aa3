"""Writes the pages' generated parts between their markers, and pictures; `--check` fails when one has drifted."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, get_args

import click

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bridge.cli import markdown_table  # noqa: E402  the path comes first
from bridge.config import Section, Settings  # noqa: E402
from docs import terminal, troubleshooting  # noqa: E402
from docs.conformance import Unproven, conformance  # noqa: E402
from storage.columns import COLUMNS  # noqa: E402
from ticbridge.__main__ import COMMANDS, cli, open_rooms  # noqa: E402

BEGIN: Final = "<!-- generated: do not edit below -->"
END: Final = "<!-- generated: end -->"


def options() -> str:
    """Every key of config.yaml with its default."""
    lines = ["| key | default |", "|---|---|"]
    lines += [f"| `{key}` | {default} |" for key, default in _keys(Settings, "")]
    return "\n".join(lines)


def _keys(section: type[Section], prefix: str) -> Iterator[tuple[str, str]]:
    for name, info in section.model_fields.items():
        key = f"{prefix}{info.alias or name}"
        inner = _section(info.annotation)
        if name in ("password", "token"):
            continue  # by the environment only
        if inner is not None:
            many = "[]" if "list" in str(info.annotation) else ".<field>" if "dict" in str(info.annotation) else ""
            yield from _keys(inner, f"{key}{many}.")
        elif info.default_factory is not None and name in ("id", "state_dir", "database"):
            yield (
                key,
                {"id": "this machine's name", "state_dir": "`~/.local/state/ticbridge`"}.get(
                    name, "`sqlite:///~/.local/share/ticbridge/db.sqlite3`"
                ),
            )
        else:
            default = info.get_default(call_default_factory=True, validated_data={})
            yield key, "" if default is None else f"`{default}`"


def _section(annotation: Any) -> type[Section] | None:  # walks types
    if isinstance(annotation, type) and issubclass(annotation, Section):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section(part))), None)


def commands() -> str:
    """Every command's own help."""
    open_rooms()
    parts: list[str] = []
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command is not None, name
        parts += _help(f"ticbridge {name}", name, command)
    return "\n\n".join(parts)


def _help(called: str, title: str, command: click.Command) -> Iterator[str]:
    context = click.Context(command, info_name=called, max_content_width=100, terminal_width=100)
    yield f"### {title}\n\n```text\n{command.get_help(context)}\n```"
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from _help(f"{called} {name}", f"{title} {name}", inner)


def column_table() -> str:
    """What a column is, and how each mode fills it."""
    lines = ["| column | type | unit | mode standard | mode historique |", "|---|---|---|---|---|"]
    lines += [f"| `{c.name}` | {c.kind} | {c.unit} | {c.standard} | {c.historique} |" for c in COLUMNS]
    return "\n".join(lines)


PAGES: Final[dict[str, Callable[[], str]]] = {
    "reference/labels.md": markdown_table,
    "reference/options.md": options,
    "reference/commands.md": commands,
    "reference/columns.md": column_table,
    "how-to/troubleshooting.md": troubleshooting.english,
    "how-to/troubleshooting.fr.md": troubleshooting.french,
    "reference/conformance.md": conformance,  # last: collecting tests sets their environment
}


def rendered(page: Path, text: str) -> str:
    """The page with its generated part replaced."""
    head, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{text}\n\n{END}{tail}"


def main(arguments: list[str]) -> int:
    """Write, or check."""
    stale = []
    made = {ROOT / "docs" / name: terminal.picture(command) for name, command in terminal.PICTURES.items()}
    for page, make in ((ROOT / "docs" / name, make) for name, make in PAGES.items()):
        made[page] = rendered(page, make())
    for page, new in made.items():
        if not page.exists() or page.read_text(encoding="utf-8") != new:
            stale.append(str(page.relative_to(ROOT)))
            if "--check" not in arguments:
                page.write_text(new, encoding="utf-8")
    if stale and "--check" in arguments:
        print(f"not up to date: {', '.join(stale)}; run `make docs`", file=sys.stderr)  # noqa: T201  a tool's output
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unproven as unproven:
        sys.exit(f"docs/reference/conformance.md cannot be made:\n{unproven}")
