"""Home Assistant's discovery, built from the catalogue. Not the `homeassistant` of Home Assistant itself."""
