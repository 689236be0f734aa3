"""Dictionaries and errors, merged."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError

from storage.entities.merging import merge_dict, merge_validation_errors


def test_the_later_wins_and_dictionaries_merge() -> None:
    first: dict[str, Any] = {"a": 1, "b": {"c": 1, "d": {"e": 1}}, "f": [1], "g": {"h": 1}}
    second: dict[str, Any] = {"a": 2, "b": {"d": {"i": 2}}, "f": [2], "g": 3, "j": {"k": 4}}
    assert merge_dict(first, second) == {
        "a": 2, "b": {"c": 1, "d": {"e": 1, "i": 2}}, "f": [2], "g": 3, "j": {"k": 4},
    }  # fmt: skip


def test_nothing_given_is_changed_by_what_is_done_to_the_result() -> None:
    first, second = {"a": {"b": 1}}, {"c": {"d": 2}}
    merged = merge_dict(first, second)
    merged["a"]["b"] = merged["c"]["d"] = 9
    assert (first, second, merge_dict()) == ({"a": {"b": 1}}, {"c": {"d": 2}}, {})


def test_errors_of_fields_and_of_the_whole_stand_together() -> None:
    merged = merge_validation_errors(
        ValidationError({"name": "empty", "price": ["low", "odd"]}),
        ValidationError({"name": "short"}),
        ValidationError("late"),
        ValidationError(["early", "%(n)s left"], params={"n": 2}),
    )
    assert merged.message_dict == {
        "name": ["empty", "short"], "price": ["low", "odd"], "__all__": ["late", "early", "%(n)s left"],
    }  # fmt: skip


def test_codes_of_errors_are_kept() -> None:
    merged = merge_validation_errors(
        ValidationError("late", code="late"), ValidationError({"a": ValidationError("x", code="x")})
    )
    assert {name: [error.code for error in errors] for name, errors in merged.error_dict.items()} == {
        "__all__": ["late"], "a": ["x"],
    }  # fmt: skip
