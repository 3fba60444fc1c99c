"""A real receiver of callbacks on loopback, which remembers what it was sent."""

import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Receiver:
    """Answers 204 to every callback, and counts them by event and by job."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, str]] = Counter()
        """How often each event of each job came: the keys are ``webhook-id`` and job id."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with receiver._lock:
                    receiver.seen[str(self.headers["webhook-id"]), str(body["jobId"])] += 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}/hook"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def events_by_job(self) -> Counter[str]:
        """Return how many different events of each job have come."""
        with self._lock:
            return Counter(job_id for _, job_id in self.seen)
