"""The meter's language (TIC): pure functions and values, no input or output, no clock, no log."""
