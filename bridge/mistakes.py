"""What is wrong in config.yaml, told to its owner: one line per mistake, with key, value and expectation."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError

# What an owner is told instead of pydantic's own words.
_EXPECTED: Final[Mapping[str, str]] = MappingProxyType({
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("model_type", "dict_type"), "keys and values below it"),
    "bool_parsing": "true or false", "bool_type": "true or false", "string_type": "text", "path_type": "a path",
    "list_type": "a list", "invalid_key": "text as a key", "literal_error": "{expected}",
    "greater_than": "more than {gt:g}", "greater_than_equal": "{ge:g} or more", "less_than_equal": "{le:g} or less",
    "too_short": "at least {min_length} entry", "too_long": "at most {max_length} entries",
    "string_too_short": "at least {min_length} character", "string_too_long": "at most {max_length} characters",
})  # fmt: skip


def sentences(
    settings: type[BaseModel], error: ValidationError, origin: str, variables: Mapping[str, str]
) -> list[str]:
    """One line per mistake: where it stands (`origin`, or the variable that gave the key), key, value, expectation."""
    lines = []
    for item in error.errors(include_url=False):
        # pydantic adds the member of a union that it tried, "list[...]": no key of ours looks like that.
        if any("literal[" in str(part) for part in item["loc"]):
            continue  # the other member says what is wrong
        # `from_` is the field of `from`, which is a word of Python; a default that will not do is told by the field.
        key = ".".join(str(part).removesuffix("_") for part in item["loc"] if "[" not in str(part))
        where = next((name for path, name in variables.items() if _same_branch(path, key)), origin)
        if item["type"] == "extra_forbidden":
            lines.append(f"{where}: {key}: no such key; expected one of {', '.join(_siblings(settings, item['loc']))}")
            continue
        shown = "(hidden)" if "password" in key or "token" in key else repr(item["input"])[:80]
        if item["type"] in _EXPECTED:
            expected = _EXPECTED[item["type"]].format(**item.get("ctx", {}))
        else:
            expected = item["msg"].removeprefix("Value error, ").removeprefix("expected ")
        lines.append(f"{where}: {key}: {shown} will not do; expected {expected}")
    return lines


def _same_branch(path: str, key: str) -> bool:
    return f"{path}.".startswith(f"{key}.") or f"{key}.".startswith(f"{path}.")


def _siblings(settings: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """The keys that may stand where an unknown one was found."""
    model: Any = settings  # walks types, which have no common one
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation if part in model.model_fields else model
        model = _section_in(annotation) or model
    return sorted(
        field.alias or name for name, field in model.model_fields.items() if name not in ("password", "token")
    )


def _section_in(annotation: Any) -> type[BaseModel] | None:  # as above
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _section_in(part))), None)
