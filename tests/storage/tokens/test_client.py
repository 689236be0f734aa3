"""Who the client is."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from storage.tokens.client import get_client_ip


@pytest.mark.parametrize(
    ("remote", "claimed", "found"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "1.2.3.4", "203.0.113.7"),  # whoever it is, it is no proxy of ours
        ("127.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", "1.2.3.4, 203.0.113.7", "203.0.113.7"),  # what the client wrote itself is left of it
        ("127.0.0.1", "203.0.113.7, 172.17.0.9", "203.0.113.7"),  # through two proxies
        ("127.0.0.1", "172.17.0.9", "172.17.0.9"),
        ("127.0.0.1", "rubbish", "127.0.0.1"),
        ("127.0.0.1", "203.0.113.7, rubbish", "127.0.0.1"),
        ("127.0.0.1", "", "127.0.0.1"),
        ("::ffff:127.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("fe80::1%eth0", None, "fe80::1"),
        ("", "203.0.113.7", ""),
    ],
)
def test_only_proxies_of_ours_are_believed(settings: Any, remote: str, claimed: str | None, found: str) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1/32", "172.17.0.0/16"]
    headers = {} if claimed is None else {"X-Forwarded-For": claimed}
    assert get_client_ip(RequestFactory().get("/", headers=headers, REMOTE_ADDR=remote)) == found


def test_without_such_proxies_nobody_is_believed(settings: Any) -> None:
    settings.TRUSTED_PROXIES = []
    request = RequestFactory().get("/", headers={"X-Forwarded-For": "1.2.3.4"}, REMOTE_ADDR="127.0.0.1")
    assert get_client_ip(request) == "127.0.0.1"
