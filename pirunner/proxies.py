"""From which address a request comes, also behind proxies that the owner trusts."""

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from django.conf import settings

Network = IPv4Network | IPv6Network


def client_address(headers: Mapping[str, Any]) -> str:
    """Return the address of the client from WSGI's environment.

    Where the connection comes from a proxy of ``TRUSTED_PROXIES``, it is the last one in ``X-Forwarded-For`` that is
    none of them; what stands before it, the client may have made up.
    """
    address = str(headers.get("REMOTE_ADDR") or "")
    trusted: Sequence[Network] = settings.TRUSTED_PROXIES
    if not trusted:
        return address
    hops = [hop.strip() for hop in str(headers.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()]
    while hops and _is_trusted(address, trusted):
        address = hops.pop()
    return address[:64]


def _is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    try:
        read: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return False
    if isinstance(read, IPv6Address) and read.ipv4_mapped:
        read = read.ipv4_mapped
    return any(read in network for network in trusted)
