"""A small HTTP server that takes callbacks, checks them, and hands the genuine ones on.

``POST /callback`` and nothing else; every answer is JSON. What a stranger can take up is bounded: the size
of a body, the time of a request, and the number of requests that are served at once.
"""

import json
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from webhooks.signing import SignatureRefused, standard_key, verify

logger = logging.getLogger(__name__)

PATH = "/callback"
MAX_BODY_BYTES = 1024 * 1024
_DRAINED_BYTES = 4 * MAX_BODY_BYTES
_BLOCK = 64 * 1024
_CONCURRENT_REQUESTS = 64
_LAST_ANSWERS_SECONDS = 2.0
_LONGEST_LOOK_SECONDS = 5.0
_REST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class VerifiedCallback:
    """A genuine callback: its event, its id (``""`` if it carries none), and its body as sent and parsed."""

    event: str
    event_id: str
    payload: dict[str, Any]
    body: bytes


OnCallback = Callable[[VerifiedCallback], None]
OnRefused = Callable[[str], None]
Secrets = Callable[[], Sequence[str]]


class Receiver:
    """Serves ``POST /callback`` on ``host`` and ``port`` (0: a free one) between ``start`` and ``stop``.

    ``on_callback`` is called in the thread of the request, possibly several times at once; the sender is
    answered 200 when it returns, and 503 when it raises, so that the sender tries again. ``on_refused`` is
    told the reason of every request with a bad signature. ``secrets`` may be asked for at each request, for
    those that end at a certain time. Creating a receiver raises ValueError when they are missing or unusable,
    and OSError when the port is taken. ``request_seconds`` is how long one request may take.
    """

    def __init__(
        self,
        host: str,
        port: int,
        secrets: Sequence[str] | Secrets,
        on_callback: OnCallback,
        *,
        on_refused: OnRefused | None = None,
        request_seconds: float = 15.0,
    ) -> None:
        ask: Secrets = secrets if callable(secrets) else partial(tuple, secrets)
        if not ask():
            raise ValueError("A receiver needs at least one secret to check signatures with.")
        for secret in ask():
            standard_key(secret)
        self._server = _Server((host, port), _Handler)
        self._server.secrets = ask
        self._server.on_callback = on_callback
        self._server.on_refused = on_refused or (lambda _reason: None)
        self._server.request_seconds = request_seconds
        self._turning = threading.Lock()
        self._begun = self._stopped = False

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._server.server_address[1])

    @property
    def takes_requests(self) -> bool:
        """Whether it has looked for requests within the last seconds; not while all its threads are taken up."""
        return not self._stopped and time.monotonic() - self._server.looked_at < _LONGEST_LOOK_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to serve, in a thread of its own."""
        threading.Thread(target=self.serve, name="callback-receiver", daemon=True).start()

    def serve(self, *, poll_seconds: float = 0.05) -> None:
        """Serve in this thread until another one calls ``stop``, which may go unnoticed for ``poll_seconds``."""
        with self._turning:
            if self._stopped:
                return
            self._begun = True
        self._server.serve_forever(poll_interval=poll_seconds)

    def stop(self) -> None:
        """Stop to serve and free the port; safe to call more than once, and before ``start``.

        Requests that are being served get two seconds to be answered.
        """
        with self._turning:
            is_first, self._stopped = not self._stopped, True
        if self._begun and is_first:
            self._server.shutdown()
            self._server.wait_for_requests(_LAST_ANSWERS_SECONDS)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    """A thread for each request, but only so many at a time; the others wait in the socket's backlog."""

    request_queue_size = 128
    secrets: Secrets
    on_callback: OnCallback
    on_refused: OnRefused
    request_seconds: float
    looked_at = float("-inf")

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._slots = threading.BoundedSemaphore(_CONCURRENT_REQUESTS)
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without the reverse lookup of the own name, which can hang where there is no DNS."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def service_actions(self) -> None:
        """Note that the server still turns."""
        self.looked_at = time.monotonic()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Take the next connection; where that fails (no file handle is left), rest instead of trying all the time."""
        try:
            return super().get_request()
        except OSError:
            time.sleep(_REST_SECONDS)
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        self._slots.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._slots.release()  # no thread could be started, which would do it at its end
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def wait_for_requests(self, seconds: float) -> None:
        """Wait until no request is being served, at most so long; the server takes none afterwards."""
        deadline = time.monotonic() + seconds
        for _ in range(_CONCURRENT_REQUESTS):
            if not self._slots.acquire(timeout=max(0.0, deadline - time.monotonic())):
                return

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Note a request that broke off; the sender will repeat it."""
        logger.info("A request from %s broke off: %r", client_address[0], sys.exception())


class _Handler(BaseHTTPRequestHandler):
    """One request. Only POST has a method of its own: the base class reports all others as an error 501."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "pirunner"
    sys_version = ""

    def setup(self) -> None:
        super().setup()
        # A timeout on the socket counts per read, so a byte now and then would keep the thread for ever.
        self._watchdog = threading.Timer(self.server.request_seconds, self._hang_up)
        self._watchdog.daemon = True
        self._watchdog.start()

    def finish(self) -> None:
        self._watchdog.cancel()
        super().finish()

    def do_POST(self) -> None:
        """Take a callback: 200, or the reason why not."""
        if self._has_other_path():
            self._answer(HTTPStatus.NOT_FOUND, "not_found")
            return
        body = self._read_body()
        if body is None:
            return
        try:
            event_id = verify(
                headers=dict(self.headers.items()), body=body, secrets=self.server.secrets(), now=time.time()
            )
        except SignatureRefused as refusal:
            self.server.on_refused(str(refusal))
            self._answer(HTTPStatus.UNAUTHORIZED, "signature_refused", str(refusal))
            return
        self._hand_on(event_id, body)

    def send_error(self, code: int, *_texts: str | None) -> None:
        """Answer a request that the base class cannot serve, in JSON like every other."""
        if code != HTTPStatus.NOT_IMPLEMENTED:
            self._answer(code, HTTPStatus(code).name.lower())
        elif self._has_other_path():
            self._answer(HTTPStatus.NOT_FOUND, "not_found")
        else:
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", headers={"Allow": "POST"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Keep the access log out of the owner's sight unless asked for."""
        logger.debug(format, *args)

    def _has_other_path(self) -> bool:
        return self.path.partition("?")[0] != PATH

    def _read_body(self) -> bytes | None:
        """Return the body, or None after having answered that it cannot be taken."""
        declared = self.headers.get("Content-Length", "")
        if not (declared.isascii() and declared.isdigit() and len(declared) < 20):
            self._answer(HTTPStatus.LENGTH_REQUIRED, "length_required")
            return None
        length = int(declared)
        if length > MAX_BODY_BYTES:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "payload_too_large")
            self._drain(length)
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            self._answer(HTTPStatus.BAD_REQUEST, "incomplete_body")
            return None
        return body

    def _drain(self, length: int) -> None:
        """Read on for a while: closing at once would take the answer away from a sender still sending."""
        left = min(length, _DRAINED_BYTES)
        while left > 0 and (block := self.rfile.read(min(left, _BLOCK))):
            left -= len(block)

    def _hand_on(self, event_id: str, body: bytes) -> None:
        try:
            payload = json.loads(body)
        except (ValueError, RecursionError):
            payload = None
        if not isinstance(payload, dict):
            self._answer(HTTPStatus.BAD_REQUEST, "invalid_json", "The body is not a JSON object.")
            return
        event = self.headers.get("X-Runner-Event", "")
        # The old header family carries no id, but the body does.
        event_id = event_id or str(payload.get("eventId") or "")
        try:
            self.server.on_callback(VerifiedCallback(event, event_id, payload, body))
        except Exception:
            logger.exception("The callback %s could not be taken.", event_id)
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable")
            return
        self._answer(HTTPStatus.OK)

    def _answer(self, status: int, error: str = "", details: str = "", headers: dict[str, str] | None = None) -> None:
        content: dict[str, Any] = {"error": error} if error else {"ok": True}
        if details:
            content["details"] = details
        body = json.dumps(content).encode()
        self.send_response(status)
        fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        for name, value in {**fields, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    def _hang_up(self) -> None:
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            logger.debug("A request ended in the moment its time was over.")
