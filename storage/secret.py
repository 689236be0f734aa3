"""Django's SECRET_KEY: made once, kept in the state directory, readable by its owner only."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from bridge.config import ConfigError


def secret_key(state_dir: Path) -> str:
    """The key of this installation; made at the first call."""
    path = state_dir / "secret_key"
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        try:
            # O_EXCL: of two processes that start together, one writes and the other reads.
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return _read(path)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
        return _read(path)
    except OSError as error:
        raise ConfigError(
            f"bridge.state_dir: {state_dir} cannot be written ({error.strerror}); expected a folder of this user"
        ) from None


def _read(path: Path) -> str:
    key = path.read_text().strip()
    if not key:
        raise ConfigError(f"{path} is empty; delete it, and a new key is made (everybody logs in again)")
    return key
