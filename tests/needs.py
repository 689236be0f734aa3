"""Programs that tests use for real. Missing: a failure where CI=true, elsewhere a skip that says so."""

from __future__ import annotations

import os
import shutil

import pytest

_SBIN = "/usr/sbin:/usr/local/sbin:/sbin"


def need(program: str) -> str:
    """The path of a program."""
    found = shutil.which(program) or shutil.which(program, path=_SBIN)
    if found:
        return found
    reason = f"{program} is not installed (apt install {program}; `make test` does it as root on Debian)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
