"""What the page History shows: which time, which bars, whose names."""
