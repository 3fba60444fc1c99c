"""Where a URL leads: its parts, the owner's allowlist, and the checked addresses behind its name.

A URL is taken apart here once, strictly, and put together again from its checked parts, so that no library
further on can read another host out of it than the one that was checked.
"""

import ipaddress
import re
import socket
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self
from urllib.parse import SplitResult, urlsplit

import idna

from webhooks.addresses import IPAddress, IPNetwork, is_never_allowed, is_public, parse_address

# Called as socket.getaddrinfo is; a test passes its own.
Resolver = Callable[..., Iterable[tuple[Any, ...]]]

LONGEST_URL = 8192
DEFAULT_PORTS = {"http": 80, "https": 443}

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\s\\\ud800-\udfff]")
_PLACE = re.compile(r"(\[[^]@?#]*\]|[^]\[:@?#]*)(:[0-9]*)?")
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
# A last label that is a number makes resolvers read the whole as an IPv4 address: 2130706433, 0x7f.1, 127.1.
_NUMERIC_END = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")
# Names that hang in the resolver hold a thread each; beyond this many the next one has to wait.
_RESOLVER_SLOTS = threading.BoundedSemaphore(32)


class EgressError(Exception):
    """A request could not be made or completed; ``permanent`` says whether another try would fail too."""

    code = "egress_failed"
    permanent = False


class UrlRefused(EgressError):
    """The URL is not one that this program requests."""

    code = "url_refused"
    permanent = True


class AddressRefused(EgressError):
    """The URL leads to an address that is neither public nor allowed by the owner."""

    code = "address_refused"
    permanent = True


class NameNotResolved(EgressError):
    """The host name of the URL has no address at the moment."""

    code = "name_not_resolved"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL in its canonical form and the parts that decide where it leads.

    ``host`` is a lower-case ASCII name or an IP address without brackets; ``address`` is set for the latter.
    """

    url: str
    scheme: str
    host: str
    port: int
    address: IPAddress | None

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must be equal for two URLs to share credentials."""
        return self.scheme, self.host, self.port


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """Hosts and networks that the owner opened although they are not public.

    A name counts whatever private addresses it resolves to; an address or network counts for every name that
    resolves into it. A port of None stands for every port.
    """

    names: frozenset[tuple[str, int | None]] = frozenset()
    networks: frozenset[tuple[IPNetwork, int | None]] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Read entries of the form ``host``, ``host:port``, ``[IPv6]:port`` or CIDR.

        Raises ValueError, naming the entry, for anything else.
        """
        names: set[tuple[str, int | None]] = set()
        networks: set[tuple[IPNetwork, int | None]] = set()
        for entry in entries:
            place, port = _parse_entry(entry.strip())
            if isinstance(place, str):
                names.add((place, port))
            else:
                networks.add((place, port))
        return cls(frozenset(names), frozenset(networks))

    def allow(self, target: Target, address: IPAddress) -> bool:
        """Return whether the owner opened ``address`` to requests for ``target``."""
        if (target.host, None) in self.names or (target.host, target.port) in self.names:
            return True
        return any(address in network and port in (None, target.port) for network, port in self.networks)


def parse_url(url: str) -> Target:
    """Take a URL apart; raises UrlRefused when it is not a plain http or https URL of one clear host."""
    if len(url) > LONGEST_URL:
        raise UrlRefused(f"The URL is longer than {LONGEST_URL} characters.")
    if _FORBIDDEN.search(url):
        raise UrlRefused("The URL holds a blank, a control character or a backslash.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UrlRefused("The URL is malformed.") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise UrlRefused("The URL must begin with http:// or https://.")
    if "@" in parts.netloc:
        raise UrlRefused("The URL must not hold a user name or password.")
    if not _PLACE.fullmatch(parts.netloc):
        raise UrlRefused("The URL is malformed.")
    if port == 0:
        raise UrlRefused("The URL names port 0, which cannot be connected to.")
    return _target(parts, port or DEFAULT_PORTS[parts.scheme])


def host_of(url: str) -> str:
    """Return the ``host:port`` by which an allowlist would open a URL; raises UrlRefused for a doubtful one.

    The port belongs to it: the owner's own receiver on loopback must not open Redis beside it.
    """
    target = parse_url(url)
    return _netloc(target.host, target.port)


@lru_cache(maxsize=1024)
def short_host_of(url: str) -> str:
    """Return a URL's host as people write it, with its port unless that is the usual one; "" for no usable URL.

    By it callbacks are listed and their receivers told apart; ``http`` and ``https`` of one name count as one.
    """
    try:
        target = parse_url(url)
    except UrlRefused:
        return ""
    return _netloc(target.host, None if target.port == DEFAULT_PORTS[target.scheme] else target.port)


def checked_addresses(
    target: Target, allowed: AllowedHosts, resolver: Resolver, timeout: float | None
) -> tuple[IPAddress, ...]:
    """Return the addresses of a target, every one of them allowed, in the resolver's order.

    ``timeout`` (seconds) bounds the resolver, which then runs in a thread of its own. Raises NameNotResolved
    when there is no address in time, AddressRefused when one of them, even one among many, is not allowed.
    """
    addresses = (target.address,) if target.address else _resolve(target, resolver, timeout)
    for address in addresses:
        if is_never_allowed(address):
            raise AddressRefused(f"{target.host} leads to {address}, which is never allowed.")
        if not is_public(address) and not allowed.allow(target, address):
            raise AddressRefused(f"{target.host} leads to {address}, which is not public and not allowed.")
    return addresses


def _target(parts: SplitResult, port: int) -> Target:
    host, address = _parse_host(parts.hostname or "", bracketed="[" in parts.netloc)
    netloc = _netloc(host, None if port == DEFAULT_PORTS[parts.scheme] else port)
    url = parts._replace(netloc=netloc, path=parts.path or "/", fragment="").geturl()
    return Target(url, parts.scheme, host, port, address)


def _netloc(host: str, port: int | None) -> str:
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _parse_host(host: str, *, bracketed: bool) -> tuple[str, IPAddress | None]:
    """Return a host in canonical form, and as an address if it is one; raises UrlRefused if doubtful."""
    if bracketed:
        return _parse_literal(host)
    name = host.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            raise UrlRefused("The host of the URL is not a valid international name.") from None
    name = name.removesuffix(".")
    if not _NAME.fullmatch(name):
        raise UrlRefused("The URL names no valid host.")
    return _parse_literal(name) if _NUMERIC_END.fullmatch(name) else (name, None)


def _parse_literal(host: str) -> tuple[str, IPAddress]:
    # A zone id picks a network interface of this machine, which is no stranger's business.
    if "%" in host:
        raise UrlRefused("The IPv6 address in the URL must not have a zone.")
    try:
        address = parse_address(host)
    except ValueError:
        raise UrlRefused("The host of the URL is a number, but not a complete IP address.") from None
    return str(address), address


def _parse_entry(entry: str) -> tuple[str | IPNetwork, int | None]:
    if "/" in entry:
        return _parse_network(entry), None
    try:
        return ipaddress.ip_network(parse_address(entry)), None
    except ValueError:
        pass  # no bare address, so a host with or without port
    if not _PLACE.fullmatch(entry):
        raise ValueError(f"{entry!r} is not a host, host:port or network.")
    try:
        parts = urlsplit(f"//{entry}")
        port = parts.port
        host, address = _parse_host(parts.hostname or "", bracketed="[" in entry)
    except (ValueError, UrlRefused):
        raise ValueError(f"{entry!r} is not a host, host:port or network.") from None
    if port == 0 or entry.endswith(":"):
        raise ValueError(f"{entry!r} does not name a port that can be connected to.")
    return (ipaddress.ip_network(address) if address else host), port


def _parse_network(entry: str) -> IPNetwork:
    try:
        return ipaddress.ip_network(entry)
    except ValueError as error:
        raise ValueError(f"{entry!r} is not a network: {error}.") from None


def _resolve(target: Target, resolver: Resolver, timeout: float | None) -> tuple[IPAddress, ...]:
    def look_up() -> tuple[IPAddress, ...]:
        answers = resolver(target.host, target.port, type=socket.SOCK_STREAM)
        return tuple(dict.fromkeys(parse_address(answer[4][0]) for answer in answers))

    try:
        addresses = look_up() if timeout is None else _within(timeout, look_up)
    except TimeoutError:
        raise NameNotResolved(f"The name {target.host} was not resolved in time.") from None
    except (OSError, ValueError):
        raise NameNotResolved(f"The name {target.host} could not be resolved.") from None
    if not addresses:
        raise NameNotResolved(f"The name {target.host} has no address.")
    return addresses


def _within(timeout: float, look_up: Callable[[], tuple[IPAddress, ...]]) -> tuple[IPAddress, ...]:
    """Return what ``look_up`` returns; raise TimeoutError after ``timeout`` seconds and leave it behind."""
    deadline = time.monotonic() + timeout
    if not _RESOLVER_SLOTS.acquire(timeout=max(0.0, timeout)):
        raise TimeoutError
    outcome: Future[tuple[IPAddress, ...]] = Future()

    def run() -> None:
        try:
            outcome.set_result(look_up())
        except Exception as error:  # noqa: BLE001  (raised again in the caller's thread)
            outcome.set_exception(error)
        finally:
            _RESOLVER_SLOTS.release()

    # A daemon thread, not an executor: a hanging resolver must not keep the process from ending.
    threading.Thread(target=run, name="resolver", daemon=True).start()
    return outcome.result(max(0.0, deadline - time.monotonic()))
