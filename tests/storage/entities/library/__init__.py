"""An app for tests: a library, which knows nothing of meters."""
