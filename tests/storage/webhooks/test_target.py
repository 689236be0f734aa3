"""Where a message may go."""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import Any

import pytest

from storage.webhooks.target import RefusedError, addresses_of, may_reach, read_url


@pytest.mark.parametrize(
    "url", ["https://example.org/hook?a=b", "http://homeassistant:8123/api/webhook/x", "http://[::1]:80/"]
)
def test_addresses_that_will_do(url: str) -> None:
    assert read_url(url).geturl() == url


@pytest.mark.parametrize(
    "url",
    [
        "", "example.org", "ftp://example.org/", "file:///etc/passwd", "http:///x", "http://[::1/", "http://a:99999/",
        "http://ann:secret@example.org/", "http://example.org/#x", "http://example.org/a b",
        "http://example.org/\r\nX: y",
        "http://exämple.org/", "http://example.org:0/",
    ],
)  # fmt: skip
def test_addresses_that_will_not_do(url: str) -> None:
    with pytest.raises(RefusedError):
        read_url(url)


@pytest.mark.parametrize(
    ("address", "private", "any_"),
    [
        ("8.8.8.8", True, True),
        ("2606:4700::1111", True, True),
        ("127.0.0.1", False, True),
        ("::1", False, True),
        ("10.0.0.1", False, True),
        ("192.168.1.10", False, True),
        ("172.16.0.1", False, True),
        ("100.64.0.1", False, True),
        ("169.254.169.254", False, True),
        ("fe80::1", False, True),
        ("fd00::1", False, True),
        ("::ffff:127.0.0.1", False, True),
        ("::ffff:8.8.8.8", True, True),
        ("64:ff9b::7f00:1", False, True),
        ("64:ff9b::808:808", True, True),
        ("2002:7f00:1::", False, True),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("::ffff:0.0.0.0", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
    ],
)
def test_which_addresses_are_reached(address: str, private: bool, any_: bool) -> None:
    where = ip_address(address)
    assert (may_reach(where, private=False), may_reach(where, private=True)) == (private, any_)


def test_a_name_of_which_one_address_is_private_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def two(*_: Any, **__: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, 443)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", two)
    with pytest.raises(RefusedError, match=r"hook\.example is 10\.0\.0\.1, which is no public address"):
        addresses_of("hook.example", 443, private=False)
    assert addresses_of("hook.example", 443, private=True) == ["8.8.8.8", "10.0.0.1"]


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(RefusedError, match="is no name of a machine"):
        addresses_of("a" * 64 + ".example", 443, private=True)
