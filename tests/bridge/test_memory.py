"""What is believed of the indexes outlives the process."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.memory import MemoryFile
from tests.bridge.wire import METER

BELIEVED = {METER: {"east": (12_345_678, datetime(2026, 1, 15, 12, 0, 0, 250_000, tzinfo=UTC))}}


def test_what_is_saved_is_known_again(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path / "state")
    assert file.memory == {}
    file.memory.update(BELIEVED)
    file.save()
    assert MemoryFile(tmp_path / "state").memory == BELIEVED


def test_only_its_owner_reads_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path)
    file.memory.update(BELIEVED)
    file.save()
    assert [(path.name, path.stat().st_mode & 0o777) for path in tmp_path.iterdir()] == [("indexes.json", 0o600)]


def test_what_did_not_change_is_not_written_again(tmp_path: Path) -> None:
    file = MemoryFile(tmp_path)
    file.memory.update(BELIEVED)
    file.save()
    (tmp_path / "indexes.json").unlink()
    file.save()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"a": {"east": ["x", 3]}}', b"\xff"])
def test_a_damaged_file_is_said_and_begun_anew(tmp_path: Path, text: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "indexes.json").write_bytes(text)
    file = MemoryFile(tmp_path)
    assert file.memory == {}
    assert caplog.messages == [f"{tmp_path}/indexes.json is damaged: indexes are believed anew"]
    file.memory.update(BELIEVED)
    file.save()
    assert MemoryFile(tmp_path).memory == BELIEVED


def test_a_folder_that_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="ticbridge.bridge")
    (tmp_path / "state").write_text("a file, not a folder")
    file = MemoryFile(tmp_path / "state")
    file.memory.update(BELIEVED)
    caplog.clear()
    file.save()
    file.save()
    assert caplog.messages == [
        f"{tmp_path}/state/indexes.json cannot be written (File exists): after a restart, indexes are believed late"
    ]
