"""Tests of `storage.entities`."""
