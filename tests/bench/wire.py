"""HTTP over a raw socket, so that a client costs little beside the server that it measures."""

import json
import socket
from collections.abc import Mapping
from typing import Any


def connect(port: int) -> socket.socket:
    """Return a connection to a server on loopback."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def prepared_request(port: int, path: str, headers: Mapping[str, str], body: Any = None) -> bytes:
    """Return the bytes of a request: a POST of ``body`` as JSON, or a GET without one."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{'POST' if content else 'GET'} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if content:
        lines += ["Content-Type: application/json", f"Content-Length: {len(content)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


def read_message(connection: socket.socket) -> tuple[bytes, bytes]:
    """Read one whole message with a Content-Length; return its head and its body."""
    received = _more(connection)
    while (end := received.find(b"\r\n\r\n")) < 0:
        received += _more(connection)
    head = received[:end]
    _, found, rest = head.lower().partition(b"content-length:")
    if not found:
        raise ConnectionError("The message has no Content-Length; chunks are not understood here.")
    length = int(rest.split(b"\r\n", 1)[0])
    while len(received) < end + 4 + length:
        received += _more(connection)
    return head, received[end + 4 : end + 4 + length]


def status_of(head: bytes) -> int:
    """Return the status of an answer."""
    return int(head[9:12])


def _more(connection: socket.socket) -> bytes:
    part = connection.recv(65536)
    if not part:
        raise ConnectionError("The other side closed the connection in the middle of a message.")
    return part
