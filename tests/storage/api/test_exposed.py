"""Each model that our API exposes, asked in every way."""

from __future__ import annotations

from typing import Any

import pytest

from storage.resources import api
from storage.tariffs.models import Offer, Period, TariffPrice
from tests.storage.api.factory import create_api_tests
from tests.storage.api.samples import SAMPLES


@pytest.fixture(autouse=True)
def _nothing_shipped(db: None) -> None:
    """Only the samples are there: the hundreds of shipped prices would only take time."""
    for model in (TariffPrice, Period, Offer):
        rows: Any = model._base_manager.all()
        rows._raw_delete("default")


TestOurs = create_api_tests(api, SAMPLES, "/api/v1/")


def test_no_sample_outlives_its_model() -> None:
    assert set(SAMPLES) == set(api.resources)
