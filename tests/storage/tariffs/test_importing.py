"""A price list of the regulator in the database."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from storage.tariffs.cli import prices
from storage.tariffs.importing import import_prices
from storage.tariffs.models import Offer, TariffPrice
from storage.tariffs.regulator import RegulatorError
from storage.tariffs.shipping import load_reference
from tests.storage.tariffs.test_regulator import BASE, TEMPO

pytestmark = pytest.mark.django_db
_SAVED = 1_796_000_000  # 2026-11-30 in Paris


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[str], Path]:
    """A file of some text, saved on a day."""

    def save(text: str, name: str = "base.csv") -> Path:
        file = tmp_path / name
        file.write_text(text)
        os.utime(file, (_SAVED, _SAVED))
        return file

    return save


def rows(**of: Any) -> list[tuple[Any, ...]]:
    found = TariffPrice.objects.filter(offer__code="tarif-bleu-base", power=6, **of).order_by("kind", "start_date")
    return list(found.values_list("kind", "start_date__date", "end_date__date", "amount", "origin"))


def test_the_regulators_prices_stand_instead_of_the_shipped(saved: Callable[[str], Path]) -> None:
    imported = import_prices(saved(BASE))
    assert list(imported.lines()) == [
        "base.csv: tarif-bleu-base, 4 prices, 0 left empty by the file",
        "from 2024-02-01, the newest from 2025-02-01",
        "2 made, 2 changed, 0 ended, 0 removed, 0 as they were, 0 of yours kept",
    ]
    assert rows(origin="import") == [
        ("energy", date(2024, 2, 1), date(2025, 2, 1), Decimal("0.2516"), "import"),
        ("energy", date(2025, 2, 1), date(2026, 2, 1), Decimal("0.2016"), "import"),  # until what is shipped after it
        ("subscription", date(2024, 2, 1), date(2025, 2, 1), Decimal("151.86"), "import"),
        ("subscription", date(2025, 2, 1), date(2025, 8, 1), Decimal("165.17"), "import"),
    ]
    price = TariffPrice.objects.filter(origin="import").latest("pk")
    assert (price.source, price.confidence, price.checked_on) == (
        "The regulator's (CRE) open data, base.csv", "B", date(2026, 11, 30),
    )  # fmt: skip


def test_the_same_file_again_changes_nothing_and_neither_does_a_shipment(saved: Callable[[str], Path]) -> None:
    file = saved(BASE)
    import_prices(file)
    before = list(TariffPrice.objects.order_by("pk").values())
    assert import_prices(file).outcome.is_idle
    assert load_reference().is_idle
    assert list(TariffPrice.objects.order_by("pk").values()) == before


def test_a_corrected_file_corrects_what_was_imported(saved: Callable[[str], Path]) -> None:
    import_prices(saved(BASE))
    assert import_prices(saved(BASE.replace("165,17", "165,71"))).outcome.changed == 1
    assert Decimal("165.71") in {amount for _, _, _, amount, _ in rows(origin="import")}


def test_what_the_owner_wrote_stays_and_is_told(saved: Callable[[str], Path]) -> None:
    import_prices(saved(BASE))
    price = TariffPrice.objects.get(origin="import", kind="energy", start_date__date=date(2025, 2, 1))
    price.amount = Decimal("0.3333")
    price.save(force_update=True)
    outcome = import_prices(saved(BASE)).outcome
    assert outcome.kept == [
        "tarif-bleu-base: base 6 kVA from 2025-02-01: 0.2016: yours from 2025-02-01 says 0.3333, and stays"
    ]
    assert outcome.is_idle
    price.refresh_from_db()
    assert price.amount == Decimal("0.3333")


def test_empty_prices_of_tempo_are_absent(saved: Callable[[str], Path]) -> None:
    outcome = import_prices(saved(TEMPO)).outcome
    assert (outcome.made, outcome.changed) == (6, 1)
    energy = TariffPrice.objects.filter(offer__code="tarif-bleu-tempo", kind="energy")
    assert set(energy.exclude(power=0).values_list("power", flat=True)) == {9}
    assert not TariffPrice.objects.filter(offer__code="tarif-bleu-tempo", amount=0).exists()


def test_an_offer_that_is_gone_takes_nothing(saved: Callable[[str], Path]) -> None:
    Offer.objects.get(code="tarif-bleu-base").delete()
    with pytest.raises(RegulatorError, match="there is no offer 'tarif-bleu-base' to take these prices"):
        import_prices(saved(BASE))


def test_a_dry_run_of_the_command_writes_nothing(saved: Callable[[str], Path]) -> None:
    before = list(TariffPrice.objects.order_by("pk").values())
    done = CliRunner().invoke(prices, [str(saved(BASE)), "--dry-run"], obj=lambda: None)
    assert done.output.splitlines()[-1] == (
        "would be: 2 made, 2 changed, 0 ended, 0 removed, 0 as they were, 0 of yours kept"
    )
    assert list(TariffPrice.objects.order_by("pk").values()) == before


def test_a_foreign_file_is_named(saved: Callable[[str], Path]) -> None:
    file = saved("a;b\n1;2\n")
    done = CliRunner().invoke(prices, [str(file)], obj=lambda: None)
    said = f"Error: {file}: line 1: not one of the regulator's price lists"
    assert (done.exit_code, done.output.startswith(said)) == (1, True)
