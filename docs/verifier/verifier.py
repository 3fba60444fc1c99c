"""A receiver of pirunner's callbacks, to run and to read: Python's standard library and nothing else.

    WEBHOOK_SECRET=... python verifier.py [port]

It listens on 127.0.0.1 (port 9998), checks every callback, drops repetitions, and prints one line for each. Copy what
you need: `check` is all there is to a signature, `Verifier.do_POST` is the order in which things are done.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 300  # seconds that a timestamp may be off; an older request may be a recorded one
MOST_BYTES = 1024 * 1024
REMEMBERED = 10_000


def key_of(secret: str) -> bytes:
    """Return the key of a secret under Standard Webhooks: what follows whsec_ is base64, any other is text."""
    return base64.b64decode(secret.removeprefix("whsec_")) if secret.startswith("whsec_") else secret.encode()


def check(headers: Mapping[str, str], body: bytes, secret: str, now: float) -> str:
    """Return the event's id if the callback is genuine and fresh; raises ValueError, saying why not.

    `body` are the bytes as they arrived: parse them only afterwards.
    """
    received = {name.lower(): value for name, value in headers.items()}
    event_id, timestamp = received.get("webhook-id", ""), received.get("webhook-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(now - int(timestamp)) > TOLERANCE:
        raise ValueError("too old, too new, or without a timestamp")
    signed = f"{event_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest())
    # While the secret is changed there are two signatures, separated by a blank; one of them has to be right.
    given = received.get("webhook-signature", "").encode().split()
    # compare_digest takes as long for a near miss as for a far one, so that nobody can guess byte by byte.
    if not any(hmac.compare_digest(each, expected) for each in given):
        raise ValueError("not signed with this secret")
    return event_id


class Seen:
    """The ids of the last callbacks. A real receiver keeps them in its database, in a column that is unique."""

    def __init__(self) -> None:
        self._ids: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, event_id: str) -> bool:
        """Remember an id; return whether it is new."""
        with self._lock:
            is_new = event_id not in self._ids
            self._ids[event_id] = None
            while len(self._ids) > REMEMBERED:
                self._ids.popitem(last=False)
            return is_new


class Verifier(BaseHTTPRequestHandler):
    """Answers 200 to what is genuine, also when it comes again: the sender only wants to know that it arrived."""

    timeout = 15  # seconds without a byte; a sender that hangs must not hold a thread for ever
    secret = ""
    seen = Seen()

    def do_POST(self) -> None:
        """Take one callback: read, check, drop if known, work, answer."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > MOST_BYTES:
            return self.answer(413, "refused: no length, or too long")
        body = self.rfile.read(int(length))
        try:
            event_id = check(dict(self.headers), body, self.secret, time.time())
        except ValueError as reason:
            return self.answer(401, f"refused: {reason}")
        if not self.seen.add(event_id):
            return self.answer(200, f"again {event_id}")
        told = json.loads(body)
        outcome = told.get("summary") or told.get("error") or ""
        # Put slow work into a queue of yours here, and answer at once: the sender waits for 15 seconds only.
        return self.answer(200, f"verified {event_id} {told.get('jobType')} {told.get('status')} {outcome}")

    def answer(self, status: int, line: str) -> None:
        """Print what was done, and answer without a body."""
        # A summary may quote a web page, and a terminal obeys control characters.
        print("".join(letter if letter.isprintable() else " " for letter in line), flush=True)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing else."""


def main() -> None:
    """Serve until Ctrl-C."""
    Verifier.secret = os.environ.get("WEBHOOK_SECRET", "")
    if Verifier.secret in {"", "change-me"}:
        sys.exit("Set WEBHOOK_SECRET to the one that pirunner signs with; it is in its .env.")
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9998
    server = ThreadingHTTPServer(("127.0.0.1", port), Verifier)
    print(f"Listening on http://127.0.0.1:{server.server_port}/callback", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("Stopped.")


if __name__ == "__main__":
    main()
