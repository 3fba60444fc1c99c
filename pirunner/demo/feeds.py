"""The feeds of the demo: the real ones where they can be reached, else three samples served over HTTP."""

import threading
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import requests

FOLDER = Path(__file__).resolve().parent / "feeds"
PATIENCE = 3.0  # seconds


class SampleFeeds:
    """Serves the sample feeds on a free port of loopback."""

    def __init__(self) -> None:
        handler = partial(_QuietHandler, directory=str(FOLDER))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True, name="sample-feeds")
        self.host = f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def sources(self) -> list[str]:
        """Return the addresses of the feeds."""
        return [f"http://{self.host}/{path.name}" for path in sorted(FOLDER.glob("*.xml"))]

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def stop(self) -> None:
        """Stop and free the port; safe to call before ``start`` too."""
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base class's name)
        """Say nothing; the demo tells its own story."""


def any_reachable(sources: Sequence[str], patience: float = PATIENCE) -> bool:
    """Tell whether one of the addresses answers within ``patience`` seconds."""
    answers: Queue[bool] = Queue()
    for source in sources:
        # Daemons: a resolver that hangs must not hold the demo up at its end.
        threading.Thread(target=_ask, args=(source, patience, answers), daemon=True).start()
    try:
        # Each thread answers in the end; the first "yes" decides, and so does the end of the patience.
        return any(answers.get(timeout=patience) for _ in sources)
    except Empty:
        return False


def _ask(source: str, patience: float, answers: Queue[bool]) -> None:
    with requests.Session() as session:
        # The job does not use the environment's proxies either.
        session.trust_env = False
        try:
            with session.get(source, timeout=patience, stream=True) as answer:
                answers.put(answer.status_code == HTTPStatus.OK)
        except requests.RequestException:
            answers.put(False)
