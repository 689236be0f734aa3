"""What metadata and history cost: entities against the same table as a plain Django model.

`python -m benchmarks.entities` alone prints its rows.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import process_time
from typing import Any, Final

from benchmarks.table import Row

_ROWS: Final = 1000
_TURNS: Final = 7


def rows() -> list[Row]:
    """Measure, on an SQLite file of its own."""
    with tempfile.TemporaryDirectory(prefix="ticbridge-bench-") as folder:
        _open(Path(folder))
        return _measured()


def _open(folder: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tests.settings",  # whose library has the three models
        "TICBRIDGE_BRIDGE__STATE_DIR": str(folder),
        "TICBRIDGE_STORAGE__DATABASE": f"sqlite:///{folder}/db.sqlite3",
    }
    import django  # noqa: PLC0415  settings first

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415

    call_command("migrate", verbosity=0)


def _measured() -> list[Row]:
    from tests.storage.entities.library.models import Heavy, Light, Plain, Wide  # noqa: PLC0415  after setup

    plain, wide, light, heavy = _seconds((Plain, Wide, Light, Heavy))
    made, read = "1 000 creations in one transaction", "1 000 rows loaded"
    return [
        Row(f"CommonModel, {made}, over a plain model", 4, 2, light[0] / plain[0], "x",
            note=f"{light[0]:.3f} s, plain {plain[0]:.3f} s, with the same columns {wide[0]:.3f} s"),
        Row("Entity with history, the same", 12, 6, heavy[0] / plain[0], "x", note=f"{heavy[0]:.3f} s"),
        Row(f"Entity with history, {read}, over a plain model", 10, 6, heavy[1] / plain[1], "x",
            note=f"{heavy[1] * 1000:.1f} ms, plain {plain[1] * 1000:.1f} ms: a uuid and two dates to read"),
        Row("Entity with history, the same, over a plain model with the same columns", 1.5, 1, heavy[1] / wide[1], "x",
            note=f"{wide[1] * 1000:.1f} ms"),
    ]  # fmt: skip


def _seconds(models: Sequence[Any]) -> list[tuple[float, float]]:
    """Processor time of each model, to create and to load; in turns, so that other work disturbs all alike."""
    from django.db import transaction  # noqa: PLC0415  after setup

    def create(model: Any) -> None:
        with transaction.atomic():
            for number in range(_ROWS):
                model.objects.create(title=f"title {number}")

    def load(model: Any) -> None:
        list(model.objects.all()[:_ROWS])

    best = [(float("inf"), float("inf"))] * len(models)
    for _ in range(_TURNS):
        for at, model in enumerate(models):
            made, loaded = best[at]
            best[at] = min(made, _used(create, model)), min(loaded, _used(load, model))
    return best


def _used(action: Callable[[Any], None], model: Any) -> float:
    began = process_time()
    action(model)
    return process_time() - began


if __name__ == "__main__":
    for row in rows():
        print(row)  # noqa: T201  a tool's output
