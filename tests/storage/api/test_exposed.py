"""Each model that our API exposes, asked in every way."""

from __future__ import annotations

import pytest

from storage.resources import api
from tests.storage.api.factory import create_api_tests
from tests.storage.api.samples import SAMPLES
from tests.storage.tariffs.samples import without_shipped


@pytest.fixture(autouse=True)
def _nothing_shipped(db: None) -> None:
    """Only the samples are there: the hundreds of shipped prices would only take time."""
    without_shipped()


TestOurs = create_api_tests(api, SAMPLES, "/api/v1/")


def test_no_sample_outlives_its_model() -> None:
    assert set(SAMPLES) == set(api.resources)
