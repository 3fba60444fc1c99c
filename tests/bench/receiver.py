"""A receiver of callbacks on loopback that costs little: it checks the signature, notes the time and says 200."""

import json
import socket
import threading
import time
from contextlib import suppress
from typing import Self

from tests.bench.wire import read_message
from webhooks.signing import verify

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class CallbackReceiver:
    """Notes when the callback of each job was verified, by the ``n`` of the job's metadata (seconds, wall clock)."""

    def __init__(self, secret: str) -> None:
        self.verified: dict[int, float] = {}
        self._secret = secret
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http://{self.address}/callback"
        self._thread = threading.Thread(target=self._serve, name="receiver", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        # A shutdown, unlike a close, wakes the thread that waits for connections.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with connection:
                    self._take(connection)

    def _take(self, connection: socket.socket) -> None:
        head, body = read_message(connection)
        lines = [line.partition(b": ") for line in head.split(b"\r\n")[1:]]
        headers = {name.decode(): value.decode() for name, _, value in lines}
        verify(headers=headers, body=body, secrets=[self._secret], now=time.time())
        self.verified.setdefault(json.loads(body)["metadata"]["n"], time.time())
        connection.sendall(_ANSWER)
