"""Servers on loopback, friendly and hostile, and clients for them."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable

from webhooks.egress import AllowedHosts, CheckedClient, Policy

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Behaviour = Callable[[socket.socket], None]


class Server:
    """A server on loopback that reads one request per connection and then behaves as told."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.requests: list[bytes] = []
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.entry = f"127.0.0.1:{self.port}"
        self.closing = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.closing.set()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.settimeout(10)
            stream = self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            with stream:
                self.requests.append(_whole_request(stream))
                self.behave(stream)


def _whole_request(stream: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += stream.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += stream.recv(65536)
    return head + b"\r\n\r\n" + body


def resolver_of(*addresses: str):
    def resolve(_host, port, *_args, **_kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


PUBLIC = resolver_of("1.1.1.1")


def client(*entries: str, resolver=PUBLIC, tls=None, **policy) -> CheckedClient:
    return CheckedClient(Policy(allowed=AllowedHosts.parse(entries), **policy), resolver, tls=tls)


def chunked(*chunks: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)


def with_body(body: bytes, *headers: bytes) -> bytes:
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def redirect(location: str, status: int = 302) -> bytes:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


def drip(head: bytes, repeated: bytes, pause: float = 0.02) -> Behaviour:
    """Send ``head`` and then ``repeated`` again and again until the client hangs up."""

    def behave(stream: socket.socket) -> None:
        stream.sendall(head)
        while True:
            stream.sendall(repeated)
            time.sleep(pause)

    return behave
