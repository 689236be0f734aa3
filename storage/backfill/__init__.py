"""Hours that Home Assistant missed, given back to it from the roll-ups, over its websocket."""
