"""What the tests of the webhooks share."""

import ssl
from collections.abc import Callable, Iterator

import pytest

from tests.parts import api, owner, rings
from tests.webhooks.loopback import OK, Behaviour, Server

__all__ = ["api", "owner", "rings", "serve"]


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: bytes | Behaviour = OK, tls: ssl.SSLContext | None = None) -> Server:
        behave: Behaviour = (lambda stream: stream.sendall(answer)) if isinstance(answer, bytes) else answer
        servers.append(Server(behave, tls))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
