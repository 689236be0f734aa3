"""Twenty threads at once on a database file, as the web process has it: `python parallel.py`; prints what came of it.

The tests' own SQLite lies in memory, where threads lock tables for each other in a way that no file does.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from ticbridge.__main__ import open_rooms


def main() -> None:
    open_rooms()
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django  # noqa: PLC0415  the rooms open first

    django.setup()
    from django.conf import settings  # noqa: PLC0415  as above
    from django.contrib.auth.models import User  # noqa: PLC0415  as above
    from django.core.management import call_command  # noqa: PLC0415  as above
    from django.utils import timezone  # noqa: PLC0415  as above

    from storage.tokens.guesses import take  # noqa: PLC0415  as above
    from storage.tokens.models import Token  # noqa: PLC0415  as above
    from storage.usage.models import Usage  # noqa: PLC0415  as above
    from tests.storage.entities.library.models import Author  # noqa: PLC0415  as above
    from tests.storage.tokens.conftest import program  # noqa: PLC0415  as above

    settings.ROOT_URLCONF = "tests.storage.tokens.urls"
    settings.ALLOWED_HOSTS = ["testserver"]
    call_command("migrate", verbosity=0)
    token, text = Token.issue(User.objects.create(username="owner", is_superuser=True), "program", ["admin"])
    Usage.objects.create(token=token, route="authors", limit=5)
    statuses = at_once(
        lambda n: program(text).put("/api/authors/", {"name": f"Author {n}"}, "application/json").status_code
    )
    now = timezone.now()
    within = at_once(lambda _: int(take("key", 5, now) is None))
    json.dump([sorted(statuses), Author.objects.count(), Usage.objects.get().calls, sum(within)], sys.stdout)


def at_once(one: Callable[[int], int]) -> list[int]:
    """What twenty threads get, each on a connection of its own."""
    from django.db import connection  # noqa: PLC0415  as above

    def alone(n: int) -> int:
        try:
            return one(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        return list(threads.map(alone, range(20)))


if __name__ == "__main__":
    main()
