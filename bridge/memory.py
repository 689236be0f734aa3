"""What outlives the process: JSON files of the state directory, written whole or not at all.

Losing one costs a little time and no value, so nothing about them stops the bridge.
"""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

log = logging.getLogger("ticbridge.bridge")

_V = TypeVar("_V")
_LARGEST: Final = 4_000_000  # bytes; a meter takes some 1500


class StateFile(Generic[_V]):
    """One file. `memory` is what its users share and change; `anew` and `late` say what losing it costs."""

    def __init__(self, path: Path, form: TypeAdapter[dict[str, _V]], *, anew: str, late: str) -> None:
        self._path = path
        self._form = form
        self._anew = anew
        self._late = late
        self._said = ""
        self._saved = b""
        self.memory: dict[str, _V] = self._load()
        self._written = dict(self.memory)

    def save(self) -> None:
        """Write it whole or not at all; nothing when it did not change."""
        memory = dict(self.memory)  # a copy: readers add meters meanwhile
        if memory == self._written:
            return
        text = self._form.dump_json(memory)
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
            self._warn(f"{self._path} cannot be written ({error.strerror}): {self._late}")
        else:
            self._saved, self._written, self._said = text, memory, ""

    def _load(self) -> dict[str, _V]:
        try:
            with self._path.open("rb") as file:
                self._saved = file.read(_LARGEST)
            return self._form.validate_json(self._saved)
        except FileNotFoundError:
            return {}
        except OSError as error:
            self._warn(f"{self._path} cannot be read ({error.strerror}): {self._anew}")
        except ValidationError:
            self._warn(f"{self._path} is damaged: {self._anew}")
        return {}

    def _warn(self, sentence: str) -> None:
        if sentence != self._said:
            log.warning("%s", sentence)
            self._said = sentence


class MemoryFile(StateFile[dict[str, tuple[int, datetime]]]):
    """What the guards believe of each meter's indexes: a restart must not open the door to a damaged one."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(
            state_dir / "indexes.json",
            TypeAdapter(dict[str, dict[str, tuple[int, datetime]]]),
            anew="indexes are believed anew",
            late="after a restart, indexes are believed late",
        )
