"""config.yaml and environment to one tree of plain values, and secrets from where they are kept."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import SecretStr

PREFIX: Final = "TICBRIDGE_"
MAX_FILE: Final = 1024 * 1024


_SECRETS: Final = (("mqtt", "password"), ("storage", "password"), ("mail", "password"), ("homeassistant", "token"))


class ConfigError(Exception):
    """The configuration is wrong; the text names key, value and expectation. Exit code 78."""


def refuse_passwords(tree: dict[str, Any], origin: str) -> None:
    """The file may be read by others, kept in a repository, shown to who helps."""
    for section, word in _SECRETS:
        keys = tree.get(section)
        if not isinstance(keys, dict):
            continue
        found = word if word in keys else None
        if re.match(r"\w+://[^/@]*:[^@]+@", str(keys.get("database", ""))):
            found = "database"
        if found is not None:
            raise ConfigError(
                f"{origin}: {section}.{found}: no {word} may stand here; expected {section}.{word}_file, "
                "the path of a file that only you can read"
            )


def read_yaml(path: Path) -> dict[str, Any]:
    """The sections of a file."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise ConfigError(f"{path}: larger than {MAX_FILE} bytes; expected a configuration file")
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); expected a configuration file") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not text in UTF-8; expected a configuration file") from None
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(f"{path}{line}: not YAML ({error.problem}); expected `key: value`") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: not YAML ({str(error).splitlines()[0]}); expected `key: value`") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply; expected sections such as `mqtt:`") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        found = "a list" if isinstance(tree, list) else repr(tree)[:80]
        raise ConfigError(f"{path}: {found} at the top; expected sections such as `mqtt:`")
    return tree


def lay_over(tree: dict[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    """Lay `TICBRIDGE_SECTION__KEY` variables over the tree; their text is read as YAML, secrets as is.

    Gives the variable that each key came from.
    """
    variables = {}
    for name in sorted(environment):
        if not name.startswith(PREFIX) or "__" not in name:
            continue
        *parents, leaf = path = name.removeprefix(PREFIX).lower().split("__")
        node: Any = tree  # a YAML tree: mappings, lists and scalars
        for part in parents:
            node = _child(node, part, name)
        text = environment[name]
        try:
            value = text if leaf in _TEXTS else yaml.safe_load(text)
        except yaml.YAMLError:
            value = text
        if not isinstance(node, dict):
            raise ConfigError(f"{name}: no such key; expected a key of config.yaml")
        node[leaf] = value
        variables[".".join(path)] = name
    return variables


_TEXTS: Final = frozenset({"password", "token", "username", "id", "protocol", "name"})


def _child(node: Any, part: str, name: str) -> Any:  # a part of a YAML tree
    if isinstance(node, list):
        if not part.isdigit() or int(part) > len(node):
            raise ConfigError(f"{name}: no such entry; expected the number of a meter, from 0")
        if int(part) == len(node):
            node.append({})
        return node[int(part)]
    if not isinstance(node, dict):
        raise ConfigError(f"{name}: no such key; expected a key of config.yaml")
    if node.get(part) is None:
        node[part] = [] if part == "meters" else {}
    return node[part]


def secret_of(section: str, secret: SecretStr | None, file: Path | None, word: str = "password") -> str | None:
    """A secret, from wherever it is kept: the environment, a file, a credential of systemd."""
    if secret is not None:
        return secret.get_secret_value()
    if file is not None:
        return read_secret(file, f"{section}.{word}_file")
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    credential = Path(credentials, f"{section}-{word}") if credentials else None
    return read_secret(credential, f"{section}-{word}") if credential and credential.exists() else None


def read_secret(path: Path, key: str) -> str:
    """The secret in a file that only its owner may read."""
    expected = "expected a file that holds the secret"
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{key}: {path} cannot be read ({error.strerror}); {expected}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{key}: {path} is not text in UTF-8; {expected}") from None
    refuse_shared(path, mode, key)
    if not text:
        raise ConfigError(f"{key}: {path} is empty; {expected}")
    return text


def refuse_shared(path: Path, mode: int, key: str) -> None:
    """Refuse a secret that others may read. systemd makes its credentials readable as it needs, in a folder of ours."""
    credentials = os.environ.get("CREDENTIALS_DIRECTORY")
    if credentials and path.resolve().is_relative_to(Path(credentials).resolve()):
        return
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ConfigError(f"{key}: {path} can be read by others; expected mode 0600 (chmod 600 {path})")
