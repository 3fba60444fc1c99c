"""An API that is killed after it has accepted a job, and before or while it rings for it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from tests.faults.harness import FaultStack
from tests.stack import ROOT

pytestmark = pytest.mark.faults

LONGEST_DEAFNESS = 15.0  # seconds

# What the API does for a submission, in a process that dies between the commit and the ring.
ACCEPT_AND_DIE = """
import os, signal
import django
django.setup()
from jobs.catalog import find
from jobs.services import NewJob, submit_job
from pirunner.doorbell import doorbell
doorbell._publish = lambda ring: signal.pause()
accepted = submit_job(NewJob(job_type=find("ping"), input={}, owner="test"))
os.write(1, accepted.answer["jobId"].encode())
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_between_the_commit_and_the_ring(any_stack: FaultStack, report: Callable[[str], None]):
    died = subprocess.run(
        [sys.executable, "-c", ACCEPT_AND_DIE],
        cwd=ROOT,
        env={**any_stack.environment, "DJANGO_SETTINGS_MODULE": "pirunner.settings"},
        stdout=subprocess.PIPE,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL

    took = any_stack.wait_until_done([died.stdout.decode()], LONGEST_DEAFNESS)

    assert any_stack.job(died.stdout.decode())["state"] == "completed"
    report(f"done {took:.1f} s after the kill")


def test_right_after_its_answer(stack: FaultStack, report: Callable[[str], None]):
    old = stack.pid_of("api")
    (server,) = psutil.Process(old).children()
    job_id = stack.submit("ping")

    os.kill(server.pid, signal.SIGKILL)

    killed = time.monotonic()
    stack.wait_until_done([job_id], LONGEST_DEAFNESS)
    done = time.monotonic() - killed
    stack.wait_until_ready()
    assert stack.finish(stack.submit("ping"))["state"] == "completed"
    assert stack.pid_of("api") != old
    report(
        f"the job was done {done:.1f} s after the kill, the API back after {time.monotonic() - killed:.1f} s at most"
    )
