"""The connection of the checked client: to an address that was checked, and held to a budget of time and bytes."""

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, cast

import certifi
import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from webhooks.addresses import IPAddress
from webhooks.hosts import EgressError, Target

BLOCK = 16 * 1024


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


LIBRARY_ERRORS = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


class Budget:
    """The seconds and the bytes that one call may still take."""

    def __init__(self, seconds: float, wire_bytes: int) -> None:
        self._seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._bytes_left = wire_bytes

    def seconds_left(self) -> float:
        """Return the seconds left; raises DeadlineExceeded when there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise self.exceeded()
        return left

    def exceeded(self) -> DeadlineExceeded:
        """Return the error that says the time is over."""
        return DeadlineExceeded(f"The answer was not complete after {self._seconds:g} seconds.")

    def is_over(self) -> bool:
        """Return whether the time is over."""
        return time.monotonic() >= self._deadline

    def take(self, count: int) -> None:
        """Take bytes off the budget; raises BodyTooLarge when there are not enough."""
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise BodyTooLarge("The answer is larger on the wire than any allowed answer needs to be.")


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a target: its checked addresses, and the budget of the call."""

    target: Target
    addresses: tuple[IPAddress, ...]
    connect_timeout: float
    budget: Budget

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

    def __init__(self, sock: socket.socket, budget: Budget) -> None:
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

    def __init__(self, sock: socket.socket, *args: Any, budget: Budget, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_BudgetedStream(sock, budget))


class _PinnedConnection(HTTPConnection):
    """A connection that goes where its route says, whatever its host's name resolves to by now."""

    def __init__(self, *args: Any, route: Route, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._route = route
        # Declared as a class, but only ever called.
        self.response_class = partial(_BudgetedResponse, budget=route.budget)  # type: ignore[assignment]

    def _new_conn(self) -> socket.socket:
        return self._route.dial()

    def send(self, data: Any) -> None:
        # In slices, because a timeout counts per call and TLS starts a new one for every record.
        for start in range(0, len(data), BLOCK):
            if self.sock is not None:
                self.sock.settimeout(self._route.budget.seconds_left())
            super().send(data[start : start + BLOCK])


class _PinnedTlsConnection(_PinnedConnection, HTTPSConnection):
    """The same under TLS: certificate and SNI are those of the host's name."""


class CheckedAdapter(HTTPAdapter):
    """The transport of one request along one route; it keeps no connection."""

    def __init__(self, route: Route, tls: ssl.SSLContext) -> None:
        self._route = route
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        """Give the pool the trust of this call."""
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **kwargs)

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> urllib3.HTTPConnectionPool:
        """Return a pool whose connections go the checked route."""
        pool = cast("urllib3.HTTPConnectionPool", super().get_connection_with_tls_context(*args, **kwargs))
        pool.ConnectionCls = _PinnedTlsConnection if pool.scheme == "https" else _PinnedConnection
        pool.conn_kw["route"] = self._route
        return pool

    def cert_verify(self, *args: Any) -> None:
        """Leave the trust to the TLS context, instead of reading all authorities for every connection."""


@cache
def public_trust() -> ssl.SSLContext:
    """Return the trust in the machine's authorities and in those that come with requests."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def explained(error: Exception, target: Target, budget: Budget) -> EgressError:
    """Return what an error of the libraries means, without the URL, which may hold a token."""
    if budget.is_over():
        return budget.exceeded()
    if isinstance(error, requests.exceptions.SSLError | urllib3.exceptions.SSLError | ssl.SSLError):
        return TlsFailed(f"{target.host} could not be reached safely: its certificate or TLS is not acceptable.")
    return ConnectionFailed(f"The connection to {target.host} broke off before its answer was complete.")
