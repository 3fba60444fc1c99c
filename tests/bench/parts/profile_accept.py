"""Profiles the acceptance of pings without a network: the thread of the request, and the thread of the intake.

The argument is how many. Prints the sections as JSON.
"""

import io
import json
import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from tests.bench.parts import profiling

BODY = json.dumps({"jobType": "ping", "input": {"hello": "world"}}).encode()
TOGETHER = 8


def main() -> None:
    """Profile both threads and print."""
    profiling.prepare()
    count = int(sys.argv[1])
    _requests(50)
    _intake(50 * TOGETHER)
    sections = [
        profiling.section("accept, one request after another", _requests, count, again=_nothing),
        profiling.section(f"accept, the intake alone, {TOGETHER} jobs at a time", _intake, count, again=_nothing),
    ]
    print(json.dumps(sections))


def _nothing() -> None:
    """More jobs can be accepted at any time."""


def _requests(count: int) -> None:
    from pirunner.wsgi import application

    for _ in range(count):
        answer = application(_environ(), _expect_202)
        b"".join(answer)
        answer.close()


def _intake(count: int) -> None:
    from jobs.catalog import find
    from jobs.intake import accept
    from jobs.services import Accepted, NewJob

    ping = find("ping")
    assert ping is not None
    for _ in range(count // TOGETHER):
        new_job = NewJob(job_type=ping, input={"hello": "world"}, owner="bench")
        batch: list[tuple[NewJob, Future[Accepted]]] = [(new_job, Future()) for _ in range(TOGETHER)]
        accept(batch)
        assert batch[0][1].result()


def _expect_202(status: str, headers: Any, error: Any = None, /) -> Callable[[bytes], object]:
    del headers, error
    assert status.startswith("202"), status
    return lambda _: None


def _environ() -> dict[str, Any]:
    from django.conf import settings

    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/jobs",
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": f"Bearer {settings.RUNNER_API_TOKEN}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(BODY)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(BODY),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


if __name__ == "__main__":
    main()
