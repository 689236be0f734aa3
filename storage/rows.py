"""How many rows the large tables have: counted now and then, for many ask."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from django.db import connection

from storage.models import Data, Rollup

_FRESH: Final = 600.0  # seconds: counting millions of rows is no work for each scrape


@dataclass(slots=True)
class Rows:
    """How many rows tables have, as of some minutes ago."""

    _counted: dict[str, tuple[float, int]] = field(default_factory=dict)
    _alone: threading.Lock = field(default_factory=threading.Lock)

    def of(self, model: type[Data] | type[Rollup]) -> int:
        """On PostgreSQL its own estimate: there counting takes as long as reading."""
        table = model._meta.db_table
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT n_live_tup FROM pg_stat_user_tables WHERE relid = %s::regclass", [table])
                found = cursor.fetchone()
            return int(found[0]) if found else 0
        with self._alone:
            at, number = self._counted.get(table, (-_FRESH, 0))
            if monotonic() - at >= _FRESH:
                number = model._default_manager.count()
                self._counted[table] = monotonic(), number
            return number


ROWS: Final = Rows()
