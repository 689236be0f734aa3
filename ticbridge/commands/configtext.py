"""Change values in the text of a config.yaml and keep its comments: ours, and whatever the owner wrote."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import yaml


def changed(text: str, values: Mapping[str, Any]) -> str:
    """`text` with values such as `{"meters.source": "auto"}` set; `meters` means the first of them.

    Lines are changed where they stand, a commented one is opened. A file in a form of its own, which that would not
    change as wanted, is written anew without its comments.
    """
    wanted = _tree_with(yaml.safe_load(text) or {}, values)
    lines = text.splitlines()
    for key, value in values.items():
        section, name = key.split(".")
        _set(lines, section, name, _written(value))
    new = "\n".join([*lines, ""])
    try:
        if yaml.safe_load(new) == wanted:
            return new
    except yaml.YAMLError:
        pass
    return "# Written by `ticbridge setup`.\n\n" + yaml.safe_dump(wanted, sort_keys=False, allow_unicode=True)


def _tree_with(tree: dict[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:  # a YAML tree
    tree = deepcopy(tree)
    for key, value in values.items():
        section, name = key.split(".")
        if section == "meters":
            meters = tree.get("meters") or [{}]
            meters[0][name] = value
            tree["meters"] = meters
        else:
            tree[section] = {**(tree.get(section) or {}), name: value}
    return tree


def _set(lines: list[str], section: str, name: str, value: str) -> None:
    begin = next((n for n, line in enumerate(lines) if re.match(rf"{section}:\s*(#.*)?$", line)), None)
    if begin is None:
        lines += ["", f"{section}:"]
        begin = len(lines) - 1
    end = next((n for n in range(begin + 1, len(lines)) if re.match(r"\w", lines[n])), len(lines))
    if section == "meters":  # the first of them
        entries = [n for n in range(begin + 1, end) if re.match(r"\s+- ", lines[n])]
        end = entries[1] if len(entries) > 1 else end
    pattern = re.compile(rf"(\s+(?:- )?)(#?){name}:([^#]*)(#.*)?$")
    found = [(n, match) for n in range(begin + 1, end) if (match := pattern.match(lines[n]))]
    found.sort(key=lambda hit: (hit[1][2] == "#", hit[0]))  # one that holds comes before one that is commented out
    if not found:
        lines.insert(begin + 1, f"  {'- ' if section == 'meters' else ''}{name}: {value}")
        return
    number, match = found[0]
    start = f"{match[1]}{name}: {value}"
    width = len(f"{match[1]}{match[2]}{name}:{match[3]}")
    lines[number] = f"{start:{width}}{' ' if len(start) >= width else ''}{match[4]}" if match[4] else start


def _written(value: Any) -> str:  # a scalar of YAML
    """As it stands in YAML, quoted where it must be."""
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=1000).removesuffix("...\n").strip()
