"""Two hundred kills of whatever runs, in no order, while five thousand jobs are submitted and done."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest

from tests.faults.harness import DONE, FaultStack
from tests.faults.receiver import Receiver
from tests.stack import wait_for

pytestmark = pytest.mark.faults

KILLS = 200
JOBS = 5_000
CLIENTS = 2
PAUSES = (0.2, 1.0)  # seconds between two kills, at least and at most
LONGEST_CATCH_UP = 60.0  # seconds
LONGEST_DELIVERY = 90.0  # seconds; a sender that dies holds its delivery for 60
TARGETS = ("worker", "worker's family", "child", "api", "server", "io", "clock", "redis")


class Load:
    """Clients that submit jobs of all sorts and do not rest until each is accepted, as one with a key can."""

    def __init__(self, stack: FaultStack, receiver: Receiver, journal: Path) -> None:
        self._stack = stack
        self._receiver = receiver
        self._journal = journal
        self._numbers = iter(range(JOBS))
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]
        self._pause = 0.6 * CLIENTS * KILLS * (sum(PAUSES) / 2) / JOBS  # so that it takes about as long as the kills
        self.accepted: dict[str, dict[str, Any]] = {}
        self.repeated = 0

    def start(self) -> None:
        """Begin to submit."""
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        """Wait until all is accepted."""
        for thread in self._threads:
            thread.join(LONGEST_CATCH_UP)
        assert len(self.accepted) == JOBS

    def _run(self) -> None:
        while (number := self._next()) is not None:
            body = self._body(number)
            job_id = self._submit(body, str(uuid4()))
            with self._lock:
                self.accepted[job_id] = body
            time.sleep(self._pause)

    def _next(self) -> int | None:
        with self._lock:
            return next(self._numbers, None)

    def _body(self, number: int) -> dict[str, Any]:
        call_back = {"callbackUrl": self._receiver.url} if number % 5 == 1 else {}
        match number % 25:
            case 0 | 16:
                return {"jobType": "nap", "input": {"journal": str(self._journal), "seconds": 0.4}, **call_back}
            case 6 | 12:
                return {"jobType": "fail", "input": {"failures": number % 4}, **call_back}
        return {"jobType": "ping", "input": number, **call_back}

    def _submit(self, body: dict[str, Any], key: str) -> str:
        while True:
            try:
                answer = self._stack.request("POST", "/jobs", body, timeout=30, Idempotency_Key=key)
            except (OSError, HTTPException, ValueError):  # no connection, or half an answer
                answer = None
            if answer is not None and answer.status in {200, 202}:
                return str(answer.json()["jobId"])
            assert answer is None or answer.status == 503, answer
            self.repeated += 1
            time.sleep(0.05)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def stack(tmp_path: Path, receiver: Receiver) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, FAULTS_RESTART_AT_ONCE="1", CALLBACK_ALLOWED_HOSTS=receiver.host) as running:
        yield running


@pytest.mark.timeout(480)
def test_two_hundred_kills_lose_nothing(
    stack: FaultStack, receiver: Receiver, tmp_path: Path, report: Callable[[str], None]
) -> None:
    load = Load(stack, receiver, tmp_path / "journal")
    load.start()

    kills = Counter(kill_somebody(stack) for _ in range(KILLS))

    over = time.monotonic()
    load.join()
    submitted = list(load.accepted)
    stack.wait_until_done(submitted, LONGEST_CATCH_UP)
    caught_up = time.monotonic() - over
    wanted = {job_id for job_id, body in load.accepted.items() if "callbackUrl" in body}
    wait_for(lambda: receiver.events_by_job().keys() >= wanted, LONGEST_DELIVERY, 0.5)

    states = stack.states(submitted)
    lost_to_kills = assert_each_ended_as_it_should(stack, load.accepted)
    assert_each_end_was_told_once(stack, submitted)
    assert set(receiver.events_by_job()) == wanted
    assert set(receiver.events_by_job().values()) == {1}
    assert (
        dict(stack.rows("SELECT state, count FROM jobs_tally WHERE count > 0")).items()
        >= {state: count + (state == "completed") for state, count in states.items()}.items()
    )  # the stack itself has run a ping at its start
    assert stack.rows("PRAGMA integrity_check") == [("ok",)]
    report(f"{sum(kills.values())} kills ({', '.join(f'{count} {who}' for who, count in sorted(kills.items()))})")
    report(
        f"{JOBS} jobs, 0 lost: {states}; {lost_to_kills} of the failed lost all their attempts to kills;"
        f" all were accepted and had ended {caught_up:.1f} s after the last kill; {load.repeated} submissions repeated"
    )
    report(again(stack, receiver, wanted))


def kill_somebody(stack: FaultStack) -> str:
    """Kill a process that the supervisor started, or one below it; return who it was."""
    time.sleep(random.uniform(*PAUSES))
    while True:
        who = random.choice(TARGETS)
        try:
            victims = family_of(stack, who)
        except psutil.Error:
            continue
        if victims:
            for victim in victims:
                os.kill(victim.pid, signal.SIGKILL)
            return who


def family_of(stack: FaultStack, who: str) -> list[psutil.Process]:
    """Return the processes meant; none while they are being started anew."""
    name = {"worker's family": "worker", "child": "worker", "server": "api"}.get(who, who)
    pid = stack.pids().get(name)
    if pid is None:
        return []
    parent = psutil.Process(pid)
    if parent.ppid() != stack.process.pid or parent.status() == psutil.STATUS_ZOMBIE:
        return []
    children = [child for child in parent.children() if child.status() != psutil.STATUS_ZOMBIE]
    match who:
        case "worker's family":
            return [parent, *children]
        case "child" | "server":
            return random.sample(children, min(1, len(children)))
    return [parent]


def assert_each_ended_as_it_should(stack: FaultStack, accepted: dict[str, dict[str, Any]]) -> int:
    """Check the final state of each; return how many failed because their worker was killed at every attempt."""
    lost = 0
    found = {str(job_id): rest for job_id, *rest in stack.rows("SELECT id, state, error, error_class FROM jobs_job")}
    for job_id, body in accepted.items():
        state, error, error_class = found[job_id]
        assert state in DONE
        if state == "failed" and error_class == "WorkerLost":
            lost += 1
        elif body["jobType"] == "fail" and body["input"]["failures"] >= 3:
            assert (state, error) == ("failed", "not this time")
        elif state == "failed":  # some of its attempts failed, and the others were lost
            assert (body["jobType"], error) == ("fail", "not this time")
            lost += 1
        else:
            assert state == "completed"
    return lost


def assert_each_end_was_told_once(stack: FaultStack, submitted: list[str]) -> None:
    sql = "SELECT job_id FROM webhooks_event WHERE kind IN ('job.completed', 'job.failed', 'job.cancelled')"
    ends = Counter(str(job_id) for (job_id,) in stack.rows(sql))
    assert {ends[job_id] for job_id in submitted} == {1}
    delivered = "SELECT job_id, COUNT(*), MIN(state), MAX(state) FROM webhooks_delivery GROUP BY job_id"
    wait_for(lambda: {tuple(rest) for _, *rest in stack.rows(delivered)} == {(1, "delivered", "delivered")}, 75, 0.5)


def again(stack: FaultStack, receiver: Receiver, wanted: set[str]) -> str:
    """Return how much was done more than once, as a sentence."""
    sql = "SELECT COUNT(*), COUNT(DISTINCT job_id) FROM webhooks_event WHERE kind = 'job.requeued'"
    ((runs, jobs),) = stack.rows(sql)
    ends = Counter(note for note in stack.notes() if note.endswith(" end"))
    effects = Counter(note.split()[0] for note in ends)
    twice = sum(count > 1 for count in effects.values())
    posts = sum(receiver.seen.values())
    return (
        f"{runs} runs lost and repeated, of {jobs} jobs; {twice} of {len(effects)} naps had their effect twice;"
        f" {posts - len(wanted)} of {posts} callbacks were sent again"
    )
