"""A whole pirunner for a test: real processes on free ports, everything it writes in one folder."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil

T = TypeVar("T")
ROOT = Path(__file__).resolve().parent.parent
# What the shell of whoever runs the tests may hold, and a test must not meet.
PRIVATE = (
    *(
        "DJANGO_SETTINGS_MODULE",
        "BROKER_URL",
        "REDIS_URL",
        "DATABASE_URL",
        "DATA_DIR",
        "RUNNER_JOBS",
        "CALLBACK_URL",
        "DEVELOPMENT",
    ),
    *("RELAY", "CALLBACK_HOST", "NOTIFY_URLS", "TELEGRAM_BOT_TOKEN", "TELEGRAM_CHAT_ID", "TELEGRAM_API_URL"),
    *("RUNNER_API_TOKEN", "WEBHOOK_SECRET", "INSTALLER_TOKEN", "SECRET_KEY", "ADMIN_PASSWORD", "REMAP_SIGTERM"),
)


def wait_for(condition: Callable[[], T], seconds: float = 20.0, pause: float = 0.05) -> T:
    """Return what ``condition`` returns as soon as it is true; fails when time is over."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not true within {seconds:g} s: {condition}")
        time.sleep(pause)
    return value


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    """An answer of the API."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        """Return the body as a JSON value."""
        return json.loads(self.text)


class Stack:
    """`manage.py up` in a folder of its own.

    ``environment`` is added to the process's; Flower is off unless it says otherwise. ``database_url`` names
    a PostgreSQL database that the test has made.
    """

    def __init__(self, folder: Path, *, database_url: str = "", **environment: str) -> None:
        self.folder = folder
        self.port = int(environment.get("PORT") or free_port())
        self.callback_port = int(environment.get("CALLBACK_PORT") or free_port())
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.log_path = folder / "up.log"
        self.environment = self._environment(database_url) | environment
        self._process: subprocess.Popen[bytes] | None = None

    def _environment(self, database_url: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if name not in PRIVATE}
        ours = {
            "ENV_FILE": str(self.folder / "env"),
            "RUNNER_DATA_DIR": str(self.folder / "data"),
            "PORT": str(self.port),
            "CALLBACK_PORT": str(self.callback_port),
            "CRYPTO_BRIEF_CRON": "off",
            "FLOWER": "off",
            "PYTHONUNBUFFERED": "1",
        }
        return inherited | ours | ({"DATABASE_URL": database_url} if database_url else {})

    # -- life -------------------------------------------------------------------------------------------

    def start(self, *, wait: bool = True) -> Self:
        """Start it, and wait until the API answers and every process is there."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pirunner.up"],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        if wait:
            self.wait_until_ready()
        return self

    def wait_until_ready(self, seconds: float = 60.0) -> None:
        """Wait until the API answers; fails with the log when `up` ends instead."""
        wait_for(lambda: self._has_ended() or self._answers(), seconds)
        if self._has_ended():
            raise AssertionError(f"up ended with code {self.process.returncode}:\n{self.log()}")

    def stop(self, seconds: float = 40.0) -> int:
        """Stop it as an owner would (SIGTERM), and return the exit code."""
        if not self._has_ended():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End the supervisor with SIGKILL: a power cut, as far as it is concerned."""
        self.process.kill()
        self.process.wait()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self.stop()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """Return the supervisor's process."""
        assert self._process is not None, "the stack was not started"
        return self._process

    def _has_ended(self) -> bool:
        return self.process.poll() is not None

    def _answers(self) -> bool:
        with suppress(OSError):
            return bool(self.request("GET", "/health", timeout=5).status)
        return False

    # -- processes ------------------------------------------------------------------------------------------

    def pids(self) -> dict[str, int]:
        """Return the process ids by name, as the supervisor publishes them."""
        path = self.folder / "data" / "run" / "processes.json"
        try:
            return dict(json.loads(path.read_text()))
        except FileNotFoundError:
            return {}

    def pid_of(self, name: str) -> int:
        """Return the process id of ``up``, ``api``, ``worker``, ``io``, ``clock``, ``flower`` or ``redis``."""
        return wait_for(lambda: self.pids().get(name, 0))

    def family(self) -> list[psutil.Process]:
        """Return the supervisor and everybody below it, pool children included."""
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def kill_process(self, name: str, number: int = signal.SIGKILL) -> int:
        """Send a signal to a process by its name, and return the process id that it had."""
        pid = self.pid_of(name)
        os.kill(pid, number)
        return pid

    # -- talking to it --------------------------------------------------------------------------------------

    @property
    def token(self) -> str:
        """Return the bearer token that the first start made."""
        return self.secret("RUNNER_API_TOKEN")

    def secret(self, name: str) -> str:
        """Return a secret, from the environment that was given or from the file the first start wrote."""
        if name in self.environment:
            return self.environment[name]
        lines = Path(self.environment["ENV_FILE"]).read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)[name]

    def request(self, method: str, path: str, body: Any = None, *, timeout: float = 60.0, **headers: str) -> Answer:
        """Send a request with the token, and return the answer whatever its status."""
        payload = None if body is None else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if payload is not None else {}
        if "RUNNER_API_TOKEN" in self.environment or Path(self.environment["ENV_FILE"]).exists():
            given["Authorization"] = f"Bearer {self.token}"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.base_url + path, payload, given, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as response:
                return Answer(response.status, dict(response.headers), response.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, dict(error.headers), error.read().decode())

    def get(self, path: str) -> Any:
        """Return the JSON of a GET; fails unless it is 200."""
        answer = self.request("GET", path)
        assert answer.status == 200, (answer.status, answer.text)
        return answer.json()

    def submit(self, job_type: str, **fields: Any) -> str:
        """Submit a job, insist on 202, and return its id."""
        answer = self.request("POST", "/jobs", {"jobType": job_type, **fields})
        assert answer.status == 202, (answer.status, answer.text)
        return str(answer.json()["jobId"])

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as it is read now."""
        return dict(self.get(f"/jobs/{job_id}"))

    def finish(self, job_id: str, seconds: float = 60.0) -> dict[str, Any]:
        """Return a job once it has ended; fails when that takes longer."""
        ended = {"completed", "failed", "cancelled"}
        wait_for(lambda: self.job(job_id)["state"] in ended, seconds, 0.1)
        return self.job(job_id)

    def log(self) -> str:
        """Return what `up` has printed so far."""
        return self.log_path.read_text(errors="replace")
