"""The secret key is made once and kept from others."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.config import ConfigError
from storage.secret import secret_key


def test_it_is_made_once_and_only_the_owner_can_read_it(tmp_path: Path) -> None:
    first = secret_key(tmp_path / "state")
    assert (len(first) > 60, secret_key(tmp_path / "state")) == (True, first)
    assert (tmp_path / "state" / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"bridge\.state_dir: .*file cannot be written"):
        secret_key(tmp_path / "file")


def test_an_empty_key_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(ConfigError, match="is empty; delete it"):
        secret_key(tmp_path)
