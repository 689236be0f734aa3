"""A meter that does not exist: feeds the demo, the command `simulate` and the tests."""
