"""Build hook: puts the rooms inside `ticbridge/` in a wheel, and compiles the translations.

Only the `standard` wheel maps the rooms; an editable one uses `dev-mode-dirs`, because `force-include` would leave
stale copies beside the sources.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOMS = ("bridge", "homeassistant", "storage")
SHIPPED = {"deploy/systemd": "ticbridge/files/systemd", "config.yaml": "ticbridge/files/config.yaml"}


class CustomBuildHook(BuildHookInterface[Any]):
    """Called by hatchling before each build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile each `.po`; map the rooms."""
        root = Path(self.root)
        for source in sorted(root.glob("storage/locale/*/LC_MESSAGES/*.po")):
            compile_catalogue(source)
        if self.target_name == "wheel" and version == "standard":
            # A forced folder comes whole: the compiled translations too, although git ignores them.
            build_data["force_include"].update({room: f"ticbridge/{room}" for room in ROOMS})
            build_data["force_include"].update(SHIPPED)


def compile_catalogue(source: Path) -> Path:
    """Write the `.mo` beside a `.po`."""
    target = source.with_suffix(".mo")
    with source.open("rb") as text, target.open("wb") as binary:
        write_mo(binary, read_po(text, locale=source.parts[-3]))
    return target
