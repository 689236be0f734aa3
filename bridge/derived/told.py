"""One derived value, as the parts of `derived` hand it over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bridge.tic.values import Json, Value

Attributes = Mapping[str, Json]


class Told(NamedTuple):
    """A derived value. None says that it is not announced now; the attributes say what stands behind it."""

    slug: str
    value: Value
    attributes: Attributes | None = None
