"""The few requests that the demo makes, as any client of the API would make them."""

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests

from pirunner.demo.faults import DemoFault

_FINAL = frozenset({"completed", "failed", "cancelled"})
_WAIT = 10  # seconds that one request may wait for the job's end
_PAUSE = 0.2  # seconds between two of them


@dataclass(frozen=True, slots=True)
class Client:
    """Talks to the API at ``address`` with a bearer token."""

    address: str
    token: str

    def submit(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST a job and return the answer; raises DemoFault unless it is 202."""
        return self._call("POST", "/jobs", HTTPStatus.ACCEPTED, json=body)

    def wait(self, job_id: str, seconds: float) -> dict[str, Any]:
        """Return the job once it has ended; raises DemoFault when it has not after ``seconds``."""
        end = time.monotonic() + seconds
        while (job := self._call("GET", f"/jobs/{job_id}?wait={_WAIT}", HTTPStatus.OK))["state"] not in _FINAL:
            if time.monotonic() > end:
                raise DemoFault(f"The job is still {job['state']} after {seconds:.0f} s.")
            time.sleep(_PAUSE)
        return job

    def _call(self, method: str, path: str, expected: HTTPStatus, **arguments: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.request(method, self.address + path, headers=headers, timeout=30, **arguments)
        except requests.RequestException as error:
            raise DemoFault(f"{method} {path} failed: {error}.") from error
        if answer.status_code != expected:
            raise DemoFault(f"{method} {path} was answered {answer.status_code}: {answer.text[:500]}")
        return dict(answer.json())
