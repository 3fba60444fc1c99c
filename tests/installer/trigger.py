"""The API's trigger address as a real server on loopback: notes who rang with which token."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Trigger:
    """Serves while it is entered; ``heard`` has path and token of each call, ``answer`` is the status to give."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []
        self.answer = 200
        trigger = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                trigger.heard.append((self.path, self.headers.get("x-installer-token", "")))
                self.send_response(trigger.answer)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
