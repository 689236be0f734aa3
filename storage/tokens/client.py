"""Who is at the other end."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address


def get_client_ip(request: HttpRequest) -> str:
    """The address of the client, as far as somebody we trust says so; empty if it has none (a local socket).

    X-Forwarded-For is a claim: each proxy of ours adds who it heard to its end, and whoever is before them may have
    written anything. So it is read from its end, and only past the proxies of settings.TRUSTED_PROXIES.
    """
    found = _read(request.META.get("REMOTE_ADDR", ""))
    claimed = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    trusted = [ip_network(network) for network in settings.TRUSTED_PROXIES]
    while found is not None and claimed and _is_in(found, trusted):
        before = _read(claimed.pop())
        if before is None:
            break
        found = before
    return "" if found is None else str(found)


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text.strip())
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Address(int(address))  # without the name of a network card (fe80::1%eth0)


def _is_in(address: Address, networks: list[IPv4Network | IPv6Network]) -> bool:
    return any(address in network for network in networks)
