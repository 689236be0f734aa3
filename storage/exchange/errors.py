"""What stops an exchange: one sentence that says what, likely why, and what to do."""

from __future__ import annotations


class ExchangeError(Exception):
    """A file that cannot be taken, or a database that cannot be given."""
