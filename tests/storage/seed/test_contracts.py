"""The demo's contract: each simulated household's past has its price."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bridge.simulated.meter import read_plan
from storage.models import Meter
from storage.seed import seed
from storage.seed.contracts import sign
from storage.tariffs.daily import costs, reckon
from storage.tariffs.models import Contract

NOW = datetime(2026, 10, 26, 10, 20, 17, tzinfo=UTC)
BEGINS = datetime(2026, 10, 24, 22, tzinfo=UTC)  # a midnight in Paris
SUNDAY = date(2026, 10, 25)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "periods"),
    [
        ("base?mode=historique&phases=3", {("drawn", ""), ("drawn", "base")}),
        ("hchp", {("drawn", ""), ("drawn", "hc"), ("drawn", "hp")}),
        ("tempo", {("drawn", ""), ("drawn", "bleu_hc"), ("drawn", "bleu_hp"), ("drawn", "blanc_hc")}),
        ("producer", {("drawn", ""), ("drawn", "base"), ("injected", "injected")}),
        ("producer?mode=historique", {("drawn", ""), ("drawn", "base")}),
    ],
)
def test_a_simulated_day_is_priced(text: str, periods: set[tuple[str, str]]) -> None:
    plan = read_plan(text)[0]
    seed(plan, NOW, 2, 6)
    sign(plan, BEGINS)
    list(reckon())
    found = costs(Meter.objects.get(meter_id=plan.meter_id), SUNDAY, SUNDAY)
    assert {(line.direction, line.period) for line in found.lines if line.wh != 0} == periods
    assert found.total is not None
    assert found.total > 0


@pytest.mark.django_db
def test_of_ejp_no_subscription_is_published_so_none_is_made_up() -> None:
    plan = read_plan("ejp")[0]
    seed(plan, NOW, 2, 6)
    sign(plan, BEGINS)
    list(reckon())
    found = costs(Meter.objects.get(meter_id=plan.meter_id), SUNDAY, SUNDAY)
    assert [line.period for line in found.lines if line.amount is None] == [""]
    assert found.known > 0


@pytest.mark.django_db
def test_a_meter_that_has_a_contract_keeps_it() -> None:
    plan = read_plan("producer")[0]
    seed(plan, NOW, 1, 6)
    sign(plan, BEGINS)
    sign(plan, BEGINS + timedelta(days=1))
    assert sorted(Contract.objects.values_list("direction", "start_date")) == [("drawn", BEGINS), ("injected", BEGINS)]
