"""The commands that record a line."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from bridge import capture as module
from bridge.capture import anonymise, capture
from bridge.config import Settings
from bridge.source import Source, SourceEnded, SourceError
from bridge.tic.catalogue import Mode
from tests.bridge.wire import HISTORIQUE_FRAME, METER


class Pieces:
    """A source that gives these pieces, then ends as told."""

    def __init__(self, *pieces: bytes, end: Exception | None = None) -> None:
        self._pieces = list(pieces)
        self._end = end or SourceEnded()
        self.closed = False

    def read(self) -> bytes:
        if not self._pieces:
            raise self._end
        return self._pieces.pop(0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What was asked for when a source was opened, and the source that it is."""
    seen = SimpleNamespace(source=Pieces(HISTORIQUE_FRAME), spec=None, mode=None)

    def open_source(spec: str, mode: Mode | None, _tell: object) -> Source:
        seen.spec, seen.mode = spec, mode
        source: Source = seen.source
        return source

    monkeypatch.setattr(module, "open_source", open_source)
    return seen


def run(*arguments: str, settings: Settings | None = None) -> Result:
    return CliRunner().invoke(capture, arguments, obj=lambda: settings)


def test_what_arrives_is_written(asked: SimpleNamespace, tmp_path: Path) -> None:
    out = tmp_path / "out.tic"
    asked.source = Pieces(b"", HISTORIQUE_FRAME, b"", b"\xff\x00")
    done = run(str(out), "--source", "/dev/ttyUSB0", "--mode", "standard")
    assert (done.exit_code, out.read_bytes()) == (0, HISTORIQUE_FRAME + b"\xff\x00")
    assert (asked.spec, asked.mode, asked.source.closed) == ("/dev/ttyUSB0", Mode.STANDARD, True)


@pytest.mark.parametrize(("options", "mode"), [((), Mode.HISTORIQUE), (("--mode", "standard"), Mode.STANDARD)])
def test_the_first_meter_of_the_configuration_is_the_default(
    options: tuple[str, ...], mode: Mode, asked: SimpleNamespace, tmp_path: Path
) -> None:
    settings = Settings.model_validate(
        {"meters": [{"source": "/dev/ttyUSB7", "mode": "historique"}, {"source": "/dev/ttyUSB8"}]}
    )
    done = run(str(tmp_path / "out.tic"), *options, settings=settings)
    assert (done.exit_code, asked.spec, asked.mode) == (0, "/dev/ttyUSB7", mode)


def test_standard_output_is_a_dash(asked: SimpleNamespace) -> None:
    done = run("-", "--source", "x")
    assert (done.exit_code, done.stdout_bytes) == (0, HISTORIQUE_FRAME)
    assert done.stderr == f"ticbridge: {len(HISTORIQUE_FRAME)} bytes written to -\n"


def test_what_came_before_the_source_broke_is_kept(asked: SimpleNamespace, tmp_path: Path) -> None:
    out = tmp_path / "out.tic"
    asked.source = Pieces(HISTORIQUE_FRAME, end=SourceError("The port is gone: is the adapter unplugged?"))
    done = run(str(out), "--source", "x", "--anonymise")
    said = f"ticbridge: {len(HISTORIQUE_FRAME)} bytes written to {out}, 1 numbers replaced in 1 groups\n"
    assert (done.exit_code, done.stderr) == (1, said + "ticbridge: The port is gone: is the adapter unplugged?\n")
    assert METER.encode() not in out.read_bytes()
    assert asked.source.closed


def test_the_time_runs_from_the_first_byte_on(
    asked: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(100))
    monkeypatch.setattr(module, "monotonic", lambda: next(clock))
    asked.source = Pieces(b"", b"", b"", b"a", b"b", b"c", b"d", b"e")
    run(str(tmp_path / "out.tic"), "--source", "x", "--seconds", "3")
    assert (tmp_path / "out.tic").read_bytes() == b"abc"


def test_no_more_is_recorded_than_can_be_anonymised(
    asked: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 2 * len(HISTORIQUE_FRAME))
    asked.source = Pieces(*[HISTORIQUE_FRAME] * 5)
    done = run(str(tmp_path / "out.tic"), "--source", "x", "--anonymise")
    assert (done.exit_code, (tmp_path / "out.tic").stat().st_size) == (0, 2 * len(HISTORIQUE_FRAME))


def test_a_file_too_large_to_anonymise_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_FILE", 100)
    recorded, out = tmp_path / "in.tic", tmp_path / "out.tic"
    recorded.write_bytes(HISTORIQUE_FRAME)
    done = CliRunner().invoke(anonymise, [str(recorded), str(out)])
    assert (done.exit_code, out.exists()) == (1, False)
    assert done.stderr == f"ticbridge: {recorded} has more than 100 bytes: cut it into smaller files\n"


def test_a_file_that_could_not_be_finished_goes_again(
    asked: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("full")

    monkeypatch.setattr(module, "without_numbers", fail)
    done = run(str(tmp_path / "out.tic"), "--source", "x", "--anonymise")
    assert isinstance(done.exception, RuntimeError)
    assert list(tmp_path.iterdir()) == []
