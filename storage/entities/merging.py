"""Dictionaries and form errors, merged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


def merge_dict(*given: Mapping[str, Any]) -> dict[str, Any]:
    """One dictionary of all; the later wins, but two dictionaries under one key merge. Nothing given is changed."""
    merged: dict[str, Any] = {}
    for mapping in given:
        for key, value in mapping.items():
            before = merged.get(key)
            if isinstance(value, Mapping):
                merged[key] = merge_dict(before, value) if isinstance(before, Mapping) else merge_dict(value)
            else:
                merged[key] = value
    return merged


def merge_validation_errors(*errors: ValidationError) -> ValidationError:
    """One error that says all; what belongs to no field stands under `__all__`."""
    merged: dict[str, list[ValidationError]] = {}
    for error in errors:
        if hasattr(error, "error_dict"):
            for name, under in error.error_dict.items():
                merged.setdefault(name, []).extend(under)
        else:
            merged.setdefault(NON_FIELD_ERRORS, []).extend(error.error_list)
    return ValidationError(merged)
