"""The bridge: from the meter's serial line to MQTT topics. Never imports Django."""

__version__ = "0.1.0"
