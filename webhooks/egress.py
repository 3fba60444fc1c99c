"""The one HTTP client for URLs that come from outside: checked addresses, bounded time, bounded size.

A name is resolved once, all its addresses are checked, and the connection goes to one of those (so a resolver
that changes its mind is not asked again), while the Host header, SNI and the certificate stay with the name.
Nothing is read from the environment (proxies, .netrc). Time is a wall-clock limit over resolving, connecting,
sending, redirects, headers and body together; sizes are limited on the wire and after decompression.
"""

import http.client
import io
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Self, cast
from urllib.parse import urljoin

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from webhooks.addresses import IPAddress
from webhooks.hosts import (
    AddressRefused,
    AllowedHosts,
    EgressError,
    NameNotResolved,
    Resolver,
    Target,
    UrlRefused,
    checked_addresses,
    parse_url,
)

__all__ = [
    "AddressRefused",
    "AllowedHosts",
    "BodyTooLarge",
    "CheckedClient",
    "ConnectionFailed",
    "DeadlineExceeded",
    "EgressError",
    "NameNotResolved",
    "Policy",
    "Response",
    "TlsFailed",
    "TooManyRedirects",
    "UrlRefused",
    "check_url",
]

_USER_AGENT = "pirunner"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CREDENTIALS = frozenset({"authorization", "cookie", "proxy-authorization"})
_BLOCK = 16 * 1024
_HEADERS_ALLOWANCE = 256 * 1024


class ConnectionFailed(EgressError):
    """No connection came about, or it broke off before the answer was complete."""

    code = "connection_failed"


class TlsFailed(EgressError):
    """The other side's certificate or its TLS is not acceptable."""

    code = "tls_failed"


class DeadlineExceeded(EgressError):
    """The answer was not complete in the time allowed."""

    code = "deadline_exceeded"


class BodyTooLarge(EgressError):
    """The answer is larger than allowed, as sent or once decompressed."""

    code = "body_too_large"
    permanent = True


class TooManyRedirects(EgressError):
    """The URL leads on and on to other URLs."""

    code = "too_many_redirects"
    permanent = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What a client may reach and how much it may take: times in seconds, sizes in bytes.

    With ``truncate`` an answer is kept up to ``max_bytes``, and its status counts whatever becomes of the
    rest of its body; without it an answer that is too large or incomplete is an error.
    """

    allowed: AllowedHosts
    max_bytes: int = 2 * 1024 * 1024
    connect_timeout: float = 5.0
    total_timeout: float = 15.0
    max_redirects: int = 0
    truncate: bool = False

    @classmethod
    def for_callbacks(cls, allowed: AllowedHosts) -> Self:
        """Return the policy for callbacks: no redirects, 16 KiB of the receiver's answer are kept."""
        return cls(allowed=allowed, max_bytes=16 * 1024, truncate=True)

    @classmethod
    def for_fetching(cls, allowed: AllowedHosts) -> Self:
        """Return the policy for feeds and pages: 3 redirects, at most 2 MiB."""
        return cls(allowed=allowed, max_redirects=3)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer: headers in any case, the decompressed body, the URL that gave it after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    truncated: bool = False


def check_url(
    url: str, policy: Policy, *, resolver: Resolver = socket.getaddrinfo, timeout: float | None = None
) -> None:
    """Check a URL before it is stored; the client checks it again whenever it is used.

    ``timeout`` (seconds) bounds the resolver. Raises UrlRefused or AddressRefused when the URL may not be
    used, NameNotResolved when its name has no address (in time): the caller decides whether that matters
    yet.
    """
    checked_addresses(parse_url(url), policy.allowed, resolver, timeout)


class CheckedClient:
    """An HTTP client under a policy; safe to share between threads, since no call leaves anything behind.

    ``resolver`` is called as ``socket.getaddrinfo``; ``tls`` replaces the usual trust in public authorities
    and those of the machine. Every method raises EgressError and nothing else for whatever the other side
    does.
    """

    def __init__(
        self,
        policy: Policy,
        resolver: Resolver = socket.getaddrinfo,
        *,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._tls = tls

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """Fetch a URL, following redirects as far as the policy goes (at 0 the redirect itself is returned).

        Credentials among ``headers`` are not passed on to another origin.
        """
        budget = self._budget()
        target, sent = parse_url(url), dict(headers or {})
        for _ in range(self._policy.max_redirects + 1):
            with self._exchange("GET", target, sent, None, budget) as answer:
                onward = _redirect(answer, target) if self._policy.max_redirects else None
                if onward is None:
                    return self._response(answer, target)
            if onward.origin != target.origin:
                sent = {name: value for name, value in sent.items() if name.lower() not in _CREDENTIALS}
            target = onward
        raise TooManyRedirects(f"The URL was redirected more than {self._policy.max_redirects} times.")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Response:
        """Send a body to a URL once; a redirect is returned, never followed."""
        target = parse_url(url)
        with self._exchange("POST", target, headers, body, self._budget()) as answer:
            return self._response(answer, target)

    def _budget(self) -> "_Budget":
        # Twice the body: chunks have overhead, and a compressed body may be larger than its content.
        return _Budget(self._policy.total_timeout, 2 * self._policy.max_bytes + _HEADERS_ALLOWANCE)

    @contextmanager
    def _exchange(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None, budget: "_Budget"
    ) -> Iterator[requests.Response]:
        """Send a request and lend its answer, body unread; errors of the libraries become EgressErrors."""
        own = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        prepared = requests.Request(method, target.url, {**own, **headers}, data=body).prepare()
        addresses = checked_addresses(target, self._policy.allowed, self._resolver, budget.seconds_left())
        route = _Route(target, addresses, self._policy.connect_timeout, budget)
        adapter = _CheckedAdapter(route, self._tls or _public_trust())
        try:
            with adapter.send(prepared, stream=True) as answer:
                yield answer
        except _LIBRARY_ERRORS as error:
            # The cause is cut off: its text quotes the whole URL, which may hold a token.
            raise _explained(error, target, budget) from None
        finally:
            adapter.close()

    def _response(self, answer: requests.Response, target: Target) -> Response:
        body, truncated = self._read_body(answer.raw)
        return Response(answer.status_code, answer.headers, body, target.url, truncated)

    def _read_body(self, raw: urllib3.HTTPResponse) -> tuple[bytes, bool]:
        """Return the body up to the cap, and whether something of it is missing."""
        body = bytearray()
        cap = self._policy.max_bytes
        try:
            while len(body) <= cap and (part := raw.read1(_BLOCK, decode_content=True)):
                body += part
        except (*_LIBRARY_ERRORS, EgressError):
            if not self._policy.truncate:
                raise
            return bytes(body[:cap]), True
        if len(body) > cap and not self._policy.truncate:
            raise BodyTooLarge(f"The answer is larger than {cap} bytes.")
        return bytes(body[:cap]), len(body) > cap


def _redirect(answer: requests.Response, target: Target) -> Target | None:
    location = answer.headers.get("location")
    if answer.status_code not in _REDIRECTS or not location:
        return None
    # Servers send the header's bytes as UTF-8; the library hands them out as Latin-1.
    text = location.encode("latin-1", "replace").decode("utf-8", "replace")
    try:
        return parse_url(urljoin(target.url, text.strip()))
    except ValueError:
        raise UrlRefused("The URL is redirected to one that is malformed.") from None


# -- the connection: pinned to a checked address, and held to a budget --------------------------------------

_LIBRARY_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


class _Budget:
    """The seconds and the bytes that one call may still take."""

    def __init__(self, seconds: float, wire_bytes: int) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._bytes_left = wire_bytes

    def seconds_left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.exceeded()
        return left

    def exceeded(self) -> DeadlineExceeded:
        return DeadlineExceeded(f"The answer was not complete after {self._seconds:g} seconds.")

    def is_over(self) -> bool:
        return time.monotonic() >= self._deadline

    def take(self, count: int) -> None:
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise BodyTooLarge("The answer is larger on the wire than any allowed answer needs to be.")


@dataclass(frozen=True, slots=True)
class _Route:
    """The way to a target: its checked addresses, and the budget of the call."""

    target: Target
    addresses: tuple[IPAddress, ...]
    connect_timeout: float
    budget: _Budget

    def dial(self) -> socket.socket:
        """Return a connection to the first address that takes one; raises ConnectionFailed when none does."""
        reason = "no address"
        for address in self.addresses:
            try:
                return self._connect(address)
            except TimeoutError:
                reason = "no answer in time"
            except OSError as error:
                reason = error.strerror or type(error).__name__
        raise ConnectionFailed(f"{self.target.host} could not be connected to: {reason}.")

    def _connect(self, address: IPAddress) -> socket.socket:
        seconds_left = self.budget.seconds_left()
        connection = socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET)
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(min(self.connect_timeout, seconds_left))
            connection.connect((str(address), self.target.port))
            # What follows at once may be a TLS handshake, which as a whole obeys this timeout.
            connection.settimeout(self.budget.seconds_left())
        except BaseException:
            connection.close()
            raise
        return connection


class _BudgetedStream(io.RawIOBase):
    """The bytes of a socket, each read within what is left of the budget."""

    def __init__(self, sock: socket.socket, budget: _Budget) -> None:
        self._socket = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._socket.settimeout(self._budget.seconds_left())
        count: int | None = self._raw.readinto(buffer)
        self._budget.take(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BudgetedResponse(http.client.HTTPResponse):
    """An answer read through a budgeted stream from its very first line on, however many headers follow."""

    def __init__(self, sock: socket.socket, *args: Any, budget: _Budget, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_BudgetedStream(sock, budget))


class _PinnedConnection(HTTPConnection):
    """A connection that goes where its route says, whatever its host's name resolves to by now."""

    def __init__(self, *args: Any, route: _Route, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._route = route
        # Declared as a class, but only ever called.
        self.response_class = partial(_BudgetedResponse, budget=route.budget)  # type: ignore[assignment]

    def _new_conn(self) -> socket.socket:
        return self._route.dial()

    def send(self, data: Any) -> None:
        # In slices, because a timeout counts per call and TLS starts a new one for every record.
        for start in range(0, len(data), _BLOCK):
            if self.sock is not None:
                self.sock.settimeout(self._route.budget.seconds_left())
            super().send(data[start : start + _BLOCK])


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    """The same under TLS: certificate and SNI are those of the host's name."""


class _CheckedAdapter(HTTPAdapter):
    """The transport of one request along one route; it keeps no connection."""

    def __init__(self, route: _Route, tls: ssl.SSLContext) -> None:
        self._route = route
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **kwargs)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> urllib3.HTTPConnectionPool:
        pool = cast("urllib3.HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        pool.ConnectionCls = _PinnedTlsConnection if pool.scheme == "https" else _PinnedConnection
        pool.conn_kw["route"] = self._route
        return pool

    def cert_verify(self, *args: Any) -> None:
        """Leave the trust to the TLS context, instead of reading all authorities for every connection."""


@cache
def _public_trust() -> ssl.SSLContext:
    """Return the trust in the machine's authorities and in those that come with requests."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _explained(error: Exception, target: Target, budget: _Budget) -> EgressError:
    if budget.is_over():
        return budget.exceeded()
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError | ssl.SSLError):
        return TlsFailed(f"{target.host} could not be reached safely: its certificate or TLS is not acceptable.")
    return ConnectionFailed(f"The connection to {target.host} broke off before its answer was complete.")
