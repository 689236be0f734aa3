"""Where a message may go: the address is looked up once, judged, and it is that one that is connected to."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

_NAT64: Final = IPv6Network("64:ff9b::/96")
_MOST: Final = 4  # addresses of one name that are tried
Address = IPv4Address | IPv6Address


class RefusedError(Exception):
    """Nothing is sent there, now or later."""


def read_url(url: str) -> SplitResult:
    """The parts of an address that will do; else `RefusedError` says what was expected."""
    try:
        parts = urlsplit(url)
        has_port = parts.port != 0
    except ValueError:
        raise RefusedError(_("Not an address; expected one such as https://example.org/hook.")) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not has_port:
        raise RefusedError(_("Expected an address that begins with http:// or https://."))
    if parts.username is not None or parts.password is not None:
        raise RefusedError(_("No name or password in the address: choose an authentication below."))
    if parts.fragment or any(ord(character) <= 32 or ord(character) > 126 for character in url):
        raise RefusedError(_("Expected an address in plain characters, without # and blanks."))
    return parts


def addresses_of(host: str, port: int, *, private: bool) -> list[str]:
    """What to connect to, by one look-up; `RefusedError`: not to be reached, or no name; OSError: nobody knows it."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise RefusedError(f"{host} is no name of a machine") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not may_reach(ip_address(address), private=private):
            raise RefusedError(
                f"{host} is {address}, which is no public address; webhooks.private in config.yaml allows those"
            )
    return addresses[:_MOST]


def may_reach(address: Address, *, private: bool) -> bool:
    """Whether a message may go there. Addresses that hide another are judged by that one."""
    address = _inner(address)
    if address.is_unspecified or address.is_multicast:
        return False
    return private or address.is_global


def _inner(address: Address) -> Address:
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address
