"""Which IP addresses an outgoing request may connect to: the table of ranges, and nothing else.

Written out because the standard library's ``is_global`` and ``is_private`` disagree with it from one Python
to the next (``is_global`` holds for 2002::/16 and 64:ff9b::/96 on 3.11). Sources: the IANA special-purpose
address registries for IPv4 and IPv6.
"""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

# Cloud metadata, link-local neighbours, "this host" and multicast: no allowlist can open these.
NEVER_ALLOWED: tuple[IPNetwork, ...] = (
    IPv4Network("0.0.0.0/8"),
    IPv4Network("169.254.0.0/16"),
    IPv4Network("224.0.0.0/4"),
    IPv6Network("::/128"),
    IPv6Network("fe80::/10"),
    IPv6Network("fd00:ec2::254/128"),
    IPv6Network("ff00::/8"),
)

_IPV4_NOT_PUBLIC = (
    IPv4Network("0.0.0.0/8"),  # this network
    IPv4Network("10.0.0.0/8"),  # private
    IPv4Network("100.64.0.0/10"),  # carrier-grade NAT
    IPv4Network("127.0.0.0/8"),  # loopback
    IPv4Network("169.254.0.0/16"),  # link-local
    IPv4Network("172.16.0.0/12"),  # private
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.0.2.0/24"),  # documentation
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("192.168.0.0/16"),  # private
    IPv4Network("198.18.0.0/15"),  # benchmarking
    IPv4Network("198.51.100.0/24"),  # documentation
    IPv4Network("203.0.113.0/24"),  # documentation
    IPv4Network("224.0.0.0/4"),  # multicast
    IPv4Network("240.0.0.0/4"),  # reserved, broadcast
)

_IPV6_PUBLIC = IPv6Network("2000::/3")
_IPV6_NOT_PUBLIC = (
    IPv6Network("2001::/23"),  # protocol assignments, Teredo
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4, which embeds any IPv4 address
    IPv6Network("3fff::/20"),  # documentation
)

_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_COMPATIBLE = IPv6Network("::/96")


def parse_address(text: str) -> IPAddress:
    """Return an address in its plain form: an IPv4 address mapped into IPv6 becomes that IPv4 address.

    Raises ValueError for anything but the full dotted or colon notation.
    """
    address = ipaddress.ip_address(text)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def is_public(address: IPAddress) -> bool:
    """Return whether an address, as ``parse_address`` returns it, belongs to the public internet."""
    if isinstance(address, IPv4Address):
        return not _is_in(address, _IPV4_NOT_PUBLIC)
    return address in _IPV6_PUBLIC and not _is_in(address, _IPV6_NOT_PUBLIC)


def is_never_allowed(address: IPAddress) -> bool:
    """Return whether an address is out of bounds even if the owner lists it."""
    embedded = _embedded_ipv4(address)
    return _is_in(address, NEVER_ALLOWED) or (embedded is not None and _is_in(embedded, NEVER_ALLOWED))


def _embedded_ipv4(address: IPAddress) -> IPv4Address | None:
    """Return the IPv4 address that a translator or tunnel would make of an IPv6 address."""
    if isinstance(address, IPv4Address):
        return None
    if address.sixtofour is not None:
        return address.sixtofour
    # ::1 lies in the compatible range too, but means loopback.
    if address in _NAT64 or (address in _IPV4_COMPATIBLE and not address.is_loopback):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_in(address: IPAddress, networks: tuple[IPNetwork, ...]) -> bool:
    return any(address in network for network in networks)
