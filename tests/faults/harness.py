"""A whole pirunner with job types that misbehave, and what it takes to hurt it and to look at what is left."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg

from tests.stack import ROOT, Stack, wait_for

_QUIET = ("-l", "INFO", "--without-gossip", "--without-mingle")
PLUGIN = Path(__file__).resolve().parent / "plugin"
_POINTS = [point.name for package in distributions(path=[str(PLUGIN)]) for point in package.entry_points]
TYPES = ",".join(["built-in", *sorted(_POINTS)])
DONE = ("completed", "failed", "cancelled")


class FaultStack(Stack):
    """A stack that knows the job types of ``plugin``, with a journal that they write."""

    def __init__(self, folder: Path, *, database_url: str = "", **environment: str) -> None:
        path = os.pathsep.join(filter(None, (str(PLUGIN), os.environ.get("PYTHONPATH", ""))))
        ours = {"PYTHONPATH": path, "RUNNER_JOBS": TYPES} | environment
        super().__init__(folder, database_url=database_url, **ours)
        self._journal = folder / "journal"
        self._database_url = database_url

    def start(self, *, wait: bool = True) -> Self:
        """Start it, and wait until its workers have shown that they run jobs."""
        super().start(wait=wait)
        if wait:
            self.finish(self.submit("ping"))
        return self

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.cut_power()
            raise

    def __exit__(self, *_: object) -> None:
        # A clean stop gives running jobs a quarter of a minute; what these tests leave behind needs none.
        self.cut_power()

    # -- jobs -----------------------------------------------------------------------------------------------

    def begin(self, job_type: str, seconds: float = 0.0, **fields: Any) -> str:
        """Submit a job of ``plugin`` that takes so long, and return its id."""
        return self.submit(job_type, input={"journal": str(self._journal), "seconds": seconds}, **fields)

    def notes(self) -> list[str]:
        """Return what the jobs of ``plugin`` have noted, each ``<job id> <run> start|end``, in order."""
        return self._journal.read_text().splitlines() if self._journal.exists() else []

    def wait_for_note(self, note: str, seconds: float = 20.0) -> float:
        """Wait until a job has noted something, and return how many seconds that took."""
        began = time.monotonic()
        wait_for(lambda: note in self.notes(), seconds)
        return time.monotonic() - began

    def wait_until_done(self, job_ids: list[str], seconds: float = 20.0) -> float:
        """Wait until every one of these jobs has ended, and return how many seconds that took."""
        began = time.monotonic()
        wait_for(lambda: not self.unended(job_ids), seconds, 0.1)
        return time.monotonic() - began

    # -- the database, past the API -------------------------------------------------------------------------

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """Return what a SELECT with ``%s`` for its parameters finds in the stack's database."""
        if self._database_url:
            with psycopg.connect(self._database_url, autocommit=True) as server:
                return server.execute(sql.encode(), parameters).fetchall()
        path = Path(self.environment["RUNNER_DATA_DIR"]) / "pirunner.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as file:
            return file.execute(sql.replace("%s", "?"), parameters).fetchall()

    def states(self, job_ids: list[str]) -> dict[str, int]:
        """Return how many of these jobs are in each state."""
        wanted = {int(job_id) for job_id in job_ids}
        found = [state for job_id, state in self.rows("SELECT id, state FROM jobs_job") if job_id in wanted]
        return {state: found.count(state) for state in set(found)}

    def unended(self, job_ids: list[str]) -> int:
        """Return how many of these jobs have not ended, a lost row included."""
        states = self.states(job_ids)
        return len(job_ids) - sum(states.get(state, 0) for state in DONE)

    def events(self, job_id: str) -> list[str]:
        """Return the kinds of a job's events, in order."""
        return [
            kind for (kind,) in self.rows("SELECT kind FROM webhooks_event WHERE job_id = %s ORDER BY seq", int(job_id))
        ]

    def runs(self, job_id: str) -> list[tuple[str, str]]:
        """Return a job's ``TaskResult`` rows as run number and status, in order."""
        sql = "SELECT task_id, status FROM django_celery_results_taskresult WHERE task_id LIKE %s ORDER BY id"
        return [(task_id.partition(":")[2], status) for task_id, status in self.rows(sql, f"{job_id}:%")]

    # -- processes ------------------------------------------------------------------------------------------

    def group(self, name: str) -> list[psutil.Process]:
        """Return a process of the stack and everybody below it."""
        parent = psutil.Process(self.pid_of(name))
        return [parent, *parent.children(recursive=True)]

    def signal_group(self, name: str, number: signal.Signals) -> list[psutil.Process]:
        """Send a signal to a process and everybody below it; return who they were."""
        group = self.group(name)
        signal_all(group, number)
        return group

    def child_of(self, job_id: str) -> psutil.Process:
        """Return the process that runs a job now."""
        ((pid,),) = self.rows("SELECT child_pid FROM jobs_job WHERE id = %s AND state = 'active'", int(job_id))
        return psutil.Process(pid)

    def wait_until_replaced(self, name: str, old: int, seconds: float = 20.0) -> int:
        """Return the id of the process that was started in place of the one with the id ``old``."""
        wait_for(lambda: self.pids().get(name) not in {old, None}, seconds)
        return self.pids()[name]

    def cut_power(self) -> None:
        """End everybody at once, the supervisor first so that nobody is started again."""
        try:
            family = self.family()
        except psutil.NoSuchProcess:
            return
        broker = self.broker_socket.parent if "redis" in self.pids() else None
        signal_all(family, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not any(is_alive(process) for process in family))
        if broker is not None:
            shutil.rmtree(broker, ignore_errors=True)

    # -- the broker -----------------------------------------------------------------------------------------

    @property
    def broker_socket(self) -> Path:
        """Return the unix socket of the private Redis."""
        return Path(psutil.Process(self.pid_of("redis")).cwd()) / "redis.sock"

    def ask_broker(self, command: str) -> str:
        """Return Redis's answer to an inline command; "" when there is none within half a second."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(0.5)
            try:
                client.connect(str(self.broker_socket))
                client.sendall(f"{command}\r\n".encode())
                return client.recv(100).decode().strip()
            except (OSError, psutil.Error):
                return ""

    # -- processes of the test's own, as they would run on another machine --------------------------------------

    def another_worker(self, name: str) -> AbstractContextManager[None]:
        """Run one more worker of the same jobs, and end it afterwards."""
        return self._another("worker", "-Q", "jobs", "-n", f"{name}@%h", "-c", "1", *_QUIET)

    def another_io(self, name: str) -> AbstractContextManager[None]:
        """Run one more worker that sends callbacks, and end it afterwards."""
        return self._another("worker", "-Q", "webhooks", "-n", f"{name}@%h", "-P", "threads", "-c", "4", *_QUIET)

    def another_clock(self) -> AbstractContextManager[None]:
        """Run one more clock, and end it afterwards."""
        return self._another("beat", "--pidfile=", "-l", "INFO")

    @contextmanager
    def _another(self, *arguments: str) -> Iterator[None]:
        environment = {**self.environment, "BROKER_URL": f"redis+socket://{self.broker_socket}"}
        with self.log_path.open("ab") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "celery", "-A", "pirunner", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            yield
        finally:
            family = psutil.Process(worker.pid).children(recursive=True)
            worker.kill()
            worker.wait()
            signal_all(family, signal.SIGKILL)


def signal_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    """Send a signal to each that still is the process it was."""
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process still runs; one that nobody has buried yet does not."""
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


class Client:
    """Submits pings one after the other from a thread, and keeps what became of each.

    ``pause`` is the time between two, in seconds, ``most`` how many it submits in all. ``worst`` is the longest that
    an answer took, in seconds.
    """

    def __init__(self, stack: FaultStack, *, pause: float = 0.05, most: int = 10_000) -> None:
        self._stack = stack
        self._pause = pause
        self._most = most
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.accepted: list[str] = []
        self.refused: list[str] = []
        self.worst = 0.0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def wait_for_more(self, number: int) -> None:
        """Wait until so many more submissions were accepted."""
        self.wait_for_total(len(self.accepted) + number)

    def wait_for_total(self, number: int) -> None:
        """Wait until so many submissions were accepted in all."""
        wait_for(lambda: len(self.accepted) >= number, 60, 0.01)

    def _run(self) -> None:
        while len(self.accepted) < self._most and not self._stopped.wait(self._pause):
            began = time.monotonic()
            try:
                answer = self._stack.request("POST", "/jobs", {"jobType": "ping"})
            except OSError as error:
                self.refused.append(repr(error))
                continue
            self.worst = max(self.worst, time.monotonic() - began)
            if answer.status == 202:
                self.accepted.append(str(answer.json()["jobId"]))
            else:
                self.refused.append(f"{answer.status} {answer.text}")
