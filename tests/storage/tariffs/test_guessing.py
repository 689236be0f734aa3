"""What a meter gives away of its contract."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from storage.models import Rollup
from storage.tariffs.guessing import fitting, guess_option, observed_slots, runs
from storage.tariffs.models import IndexPeriod, Offer
from tests.storage.tariffs.samples import LONG_AGO, new_meter

OFF, ON = True, False


def day(*stretches: tuple[int, bool | None]) -> list[bool | None]:
    return [state for length, state in stretches for _ in range(length)]


@pytest.mark.parametrize(
    ("state", "found"),
    [
        (day((390, OFF), (960, ON), (90, OFF)), [(1350, 390)]),
        (day((120, ON), (300, OFF), (420, ON), (180, OFF), (420, ON)), [(120, 420), (840, 1020)]),
        (day((390, OFF), (900, ON), (150, None)), []),  # nobody saw when it begins
        (day((390, OFF), (930, ON), (30, None), (90, OFF)), [(1350, 390)]),  # nothing was drawn for half an hour
        (day((1440, ON)), []),
        (day((1440, None)), []),
    ],
)
def test_a_day_of_minutes_has_these_stretches(state: list[bool | None], found: list[tuple[int, int]]) -> None:
    assert runs(state) == found


@pytest.mark.django_db
def test_off_peak_hours_are_read_off_the_index_that_counts() -> None:
    meter = new_meter()
    for index, period in enumerate(("hc", "hp"), 1):
        IndexPeriod.objects.create(meter=meter, index=index, period=period, start_date=LONG_AGO)
    midnight = datetime(2026, 5, 31, 22, tzinfo=UTC)  # in Paris
    Rollup.objects.bulk_create(
        Rollup(
            meter=meter, step=Rollup.Step.MINUTE, start=midnight + timedelta(minutes=n), readings=60,
            easf01=9 if n < 390 or n >= 1350 else 0, easf02=0 if n < 390 or n >= 1350 else 9,
        )
        for n in range(1440)
    )  # fmt: skip
    assert observed_slots(meter) == [(time(22, 30), time(6, 30))]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "option"),
    [("TEMPO", "tempo"), ("H PLEINE/CREUSE", "hphc"), ("BBR(", "tempo"), ("BASE", "base"), ("?", None)],
)
def test_the_calendar_of_the_meter_names_the_option(said: str, option: str | None) -> None:
    assert guess_option(new_meter(), [said]) == option


@pytest.mark.django_db
def test_regulated_offers_fit_by_their_option() -> None:
    assert [offer.code for offer in fitting(Offer.Option.TEMPO)] == ["tarif-bleu-tempo"]
    assert len(fitting(None)) == 4
