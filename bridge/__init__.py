"""The bridge: from the meter's serial line to MQTT topics. Never imports Django."""

from datetime import UTC, datetime

__version__ = "0.1.0"
BUILT = datetime(2026, 1, 1, tzinfo=UTC)  # the year of this version: a clock that shows less is wrong
