"""What the guards believe of each meter's indexes, kept on disk: a restart must not open the door to a damaged index.

Losing the file costs one frame's wait per meter, so nothing about it stops the bridge.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError

from bridge.guard import Memory

log = logging.getLogger("ticbridge.bridge")

_FORM: Final[TypeAdapter[Memory]] = TypeAdapter(dict[str, dict[str, tuple[int, datetime]]])
_LARGEST: Final = 1_000_000  # bytes; a meter takes some 1500


class MemoryFile:
    """One file for all meters of a bridge. `memory` is what its guards share and change."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "indexes.json"
        self._said = ""
        self._saved = b""
        self.memory: Memory = self._load()

    def save(self) -> None:
        """Write it whole or not at all; nothing when it did not change."""
        text = _FORM.dump_json(dict(self.memory))  # a copy: readers add meters meanwhile
        if text == self._saved:
            return
        beside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            self._warn(f"{self._path} cannot be written ({error.strerror}): after a restart, indexes are believed late")
        else:
            self._saved, self._said = text, ""

    def _load(self) -> Memory:
        try:
            with self._path.open("rb") as file:
                self._saved = file.read(_LARGEST)
            return _FORM.validate_json(self._saved)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._warn(f"{self._path} cannot be read ({error.strerror}): indexes are believed anew")
        except ValidationError:
            self._warn(f"{self._path} is damaged: indexes are believed anew")
        return {}

    def _warn(self, sentence: str) -> None:
        if sentence != self._said:
            log.warning("%s", sentence)
            self._said = sentence
