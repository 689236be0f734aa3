"""Take in a price list of the regulator. What the owner wrote stays; the same file again changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Final

from django.db import transaction

from storage.entities.acting import acting
from storage.tariffs.grids import PARIS, Price, plan
from storage.tariffs.models import Offer, Origin, TariffPrice
from storage.tariffs.regulator import MOST_CHARACTERS, Grid, RegulatorError, read_grid
from storage.tariffs.writing import Outcome, write

_REASON: Final = "prices imported from {}"


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file said, and what became of it."""

    name: str
    grid: Grid
    outcome: Outcome
    is_dry: bool

    def lines(self) -> Iterator[str]:
        """For a terminal."""
        prices = self.grid.prices
        yield f"{self.name}: {self.grid.offer}, {len(prices)} prices, {self.grid.empty} left empty by the file"
        if prices:
            days = sorted(price.start for price in prices)
            yield f"from {days[0]:%Y-%m-%d}, the newest from {days[-1]:%Y-%m-%d}"
        yield from (f"kept: {text}" for text in self.outcome.kept)
        yield f"{'would be: ' if self.is_dry else ''}{self.outcome}"


def import_prices(file: Path, *, dry_run: bool = False) -> Imported:
    """Read a file and bring its prices in; RegulatorError when it is no such file."""
    grid = read_grid(_text(file))
    offer = Offer.objects.filter(code=grid.offer).first()
    if offer is None:
        raise RegulatorError(
            f"there is no offer {grid.offer!r} to take these prices: `ticbridge manage load_reference --force` makes it"
        )
    # The day on which the file was saved: somebody looked there then. The same file again says the same.
    saved_on = datetime.fromtimestamp(file.stat().st_mtime, PARIS).date()
    prices = [_sourced(price, file.name, saved_on) for price in grid.prices]
    outcome = Outcome()
    with transaction.atomic(), acting(reason=_REASON.format(file.name)):
        rows = list(TariffPrice.objects.filter(offer=offer))
        made = plan(rows, prices, ours=(Origin.SHIPPED, Origin.IMPORT))
        write(TariffPrice, offer, made, Origin.IMPORT, outcome)
        if dry_run:
            transaction.set_rollback(True)
    return Imported(file.name, grid, outcome, dry_run)


def _sourced(price: Price, name: str, day: date) -> Price:
    return replace(price, source=f"The regulator's (CRE) open data, {name}"[:200], confidence="B", checked_on=day)


def _text(file: Path) -> str:
    if file.stat().st_size > MOST_CHARACTERS:
        raise RegulatorError(f"{file} is larger than {MOST_CHARACTERS} bytes, which no price list is")
    content = file.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")  # as Excel saves it
