"""Programs that tests use for real. Missing: a failure where CI=true, elsewhere a skip that says so."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

_SBIN = "/usr/sbin:/usr/local/sbin:/sbin"


def need(program: str) -> str:
    """The path of a program."""
    found = shutil.which(program) or shutil.which(program, path=_SBIN)
    if found:
        return found
    return lack(f"{program} is not installed (apt install {program}; `make test` does it as root on Debian)")


def need_library(name: str, package: str) -> str:
    """The path of a shared library below /usr/lib."""
    found = sorted(Path("/usr/lib").glob(f"*/{name}"))
    if found:
        return str(found[0])
    return lack(f"{name} is not installed (apt install {package}; `make test` does it as root on Debian)")


def lack(reason: str) -> NoReturn:
    """What a test needs is not there."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
