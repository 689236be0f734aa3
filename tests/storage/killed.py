"""`migrate`, killed just before the first statement that holds a text, or is given it: `python killed.py TEXT`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from ticbridge.__main__ import open_rooms


def main(text: str) -> None:
    open_rooms()
    os.environ["DJANGO_SETTINGS_MODULE"] = "storage.settings"
    import django  # noqa: PLC0415  the rooms open first

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415  as above
    from django.db import connection  # noqa: PLC0415  as above

    def watch(execute: Callable[..., Any], sql: str, parameters: Any, *others: Any) -> Any:  # Django's own protocol
        if text in f"{sql} {parameters}":
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, parameters, *others)

    with connection.execute_wrapper(watch):
        call_command("migrate", verbosity=0)


if __name__ == "__main__":
    main(sys.argv[1])
