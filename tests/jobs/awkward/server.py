"""A web server on loopback whose answers a test makes up, the awkward ones included."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """An answer; with ``pause`` it stops so many seconds between every 100 bytes of its body."""

    body: bytes | str = b""
    content_type: str = "text/html"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    etag: str = ""

    @property
    def raw(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else self.body


@dataclass
class AwkwardServer:
    """Answers by path (a reply, or what makes one), what is not named with 404; ``requests`` are the paths asked."""

    port: int = 0
    replies: dict[str, Reply | Callable[[], Reply]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def serve(self, path: str, body: bytes | str, content_type: str = "text/html", **more: Any) -> str:
        """Serve something under a path, and return its address."""
        self.replies[path] = Reply(body, content_type, **more)
        return self.url(path)

    def asked_for(self, path: str) -> int:
        return self.requests.count(path)


@contextmanager
def awkward_server() -> Iterator[AwkwardServer]:
    """Run such a server."""
    awkward = AwkwardServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            awkward.requests.append(self.path)
            awkward.times.append(time.monotonic())
            found = awkward.replies.get(self.path, Reply("nothing here", status=404))
            reply = found() if callable(found) else found
            if reply.etag and self.headers.get("If-None-Match") == reply.etag:
                reply = Reply(status=304, etag=reply.etag)
            self.send_response(reply.status)
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.raw)))
            for name, value in (reply.headers | ({"ETag": reply.etag} if reply.etag else {})).items():
                self.send_header(name, value)
            self.end_headers()
            self._write(reply)

        def _write(self, reply: Reply) -> None:
            try:
                if not reply.pause:
                    self.wfile.write(reply.raw)
                    return
                for start in range(0, len(reply.raw), 100):
                    self.wfile.write(reply.raw[start : start + 100])
                    if awkward.stopping.wait(reply.pause):
                        return
            except OSError:
                pass  # the reader has gone, as it should

        def log_message(self, *_args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        awkward.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield awkward
        finally:
            awkward.stopping.set()
            server.shutdown()
            thread.join()
