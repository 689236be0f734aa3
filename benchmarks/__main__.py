"""`python -m benchmarks`: every row, or those of the named parts (decoder, bridge ...); exits 1 below a bar."""

from __future__ import annotations

import sys
from types import MappingProxyType

from benchmarks import alerts, bridge, database, decoder, entities, exchange, fleet, history, store, web

_PARTS = MappingProxyType(
    {
        "decoder": decoder.rows,
        "bridge": bridge.rows,
        "store": store.rows,
        "database": database.rows,
        "fleet": fleet.rows,
        "history": history.rows,
        "exchange": exchange.rows,
        "entities": entities.rows,
        "alerts": alerts.rows,
        "web": web.rows,
    }
)


def main(names: list[str]) -> int:
    """Print the table."""
    holds = True
    for name in names or _PARTS:
        for row in _PARTS[name]():
            print(row, flush=True)  # noqa: T201  a tool's output
            holds = holds and row.holds
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
