"""The one HTTP client for URLs that come from outside: checked addresses, bounded time, bounded size.

A name is resolved once, all its addresses are checked, and the connection goes to one of those (so a resolver
that changes its mind is not asked again), while the Host header, SNI and the certificate stay with the name.
Nothing is read from the environment (proxies, .netrc). Time is a wall-clock limit over resolving, connecting,
sending, redirects, headers and body together; sizes are limited on the wire and after decompression.
"""

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urljoin

import requests
import urllib3

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
from webhooks.transport import (
    BLOCK,
    LIBRARY_ERRORS,
    BodyTooLarge,
    Budget,
    CheckedAdapter,
    ConnectionFailed,
    DeadlineExceeded,
    Route,
    TlsFailed,
    explained,
    public_trust,
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
_HEADERS_ALLOWANCE = 256 * 1024


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

    def limited(self, *, max_bytes: int, total_timeout: float | None = None, truncate: bool = False) -> "CheckedClient":
        """Return a client that may reach the same, with other limits on time (seconds) and size."""
        seconds = self._policy.total_timeout if total_timeout is None else total_timeout
        policy = replace(self._policy, max_bytes=max_bytes, total_timeout=seconds, truncate=truncate)
        return CheckedClient(policy, self._resolver, tls=self._tls)

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

    def _budget(self) -> Budget:
        # Twice the body: chunks have overhead, and a compressed body may be larger than its content.
        return Budget(self._policy.total_timeout, 2 * self._policy.max_bytes + _HEADERS_ALLOWANCE)

    @contextmanager
    def _exchange(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None, budget: Budget
    ) -> Iterator[requests.Response]:
        """Send a request and lend its answer, body unread; errors of the libraries become EgressErrors."""
        own = {"User-Agent": _USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
        addresses = checked_addresses(target, self._policy.allowed, self._resolver, budget.seconds_left())
        route = Route(target, addresses, self._policy.connect_timeout, budget)
        adapter = CheckedAdapter(route, self._tls or public_trust())
        try:
            prepared = requests.Request(method, target.url, {**own, **headers}, data=body).prepare()
            with adapter.send(prepared, stream=True) as answer:
                yield answer
        except LIBRARY_ERRORS as error:
            # The cause is cut off: its text quotes the whole URL, which may hold a token.
            raise explained(error, target, budget) from None
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
            while len(body) <= cap and (part := raw.read1(BLOCK, decode_content=True)):
                body += part
        except (*LIBRARY_ERRORS, EgressError):
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
