"""The time of day jumps, as when NTP sets a board without a battery: a running job does not notice.

``timeshift.c`` shows the whole stack another time of day; the monotonic clock goes on.
"""

import shutil
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack
from tests.stack import wait_for

pytestmark = pytest.mark.faults

STEPS = {"an hour ahead": 3600, "back an hour": 0, "five years ahead": 5 * 365 * 86_400}
EACH = 18.0  # seconds between two steps: a lease, in which leases are not trusted, and some in which they are
SOURCE = Path(__file__).resolve().parent / "timeshift.c"


class TimeOfDay:
    """How far the stack's time of day is off, and the library that makes its programs believe it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "timeshift"
        self._library = folder / "timeshift.so"
        self.step_to(0)
        compile_it = ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", str(self._library), str(SOURCE)]
        subprocess.run(compile_it, check=True)

    def step_to(self, seconds: int) -> None:
        """Be so many seconds ahead of the true time from now on."""
        with self._path.open("r+b" if self._path.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    def environment(self) -> dict[str, str]:
        """Return what makes a program believe it."""
        return {"LD_PRELOAD": str(self._library), "TIMESHIFT_FILE": str(self._path)}


@pytest.fixture
def time_of_day(tmp_path: Path) -> TimeOfDay:
    if shutil.which("cc") is None:
        pytest.skip("there is no C compiler for timeshift.c")
    return TimeOfDay(tmp_path)


@pytest.fixture
def stack(tmp_path: Path, time_of_day: TimeOfDay) -> Iterator[FaultStack]:
    with FaultStack(tmp_path, **time_of_day.environment()) as running:
        yield running


def test_a_running_job_is_neither_taken_back_nor_ended(
    stack: FaultStack, time_of_day: TimeOfDay, report: Callable[[str], None]
) -> None:
    job_id = stack.begin("nap", EACH * len(STEPS) + 3)
    stack.wait_for_note(f"{job_id} 1 start")
    began = time.monotonic()

    for number, (name, seconds) in enumerate(STEPS.items(), start=1):
        time_of_day.step_to(seconds)
        ping = stack.submit("ping")
        ended = stack.finish(ping)
        assert ended["state"] == "completed"
        assert abs(ended["finishedOn"] / 1000 - time.time() - seconds) < 60, f"the stack did not see the step {name}"
        wait_for(lambda: time.monotonic() >= began + number * EACH, EACH + 5)  # noqa: B023
        assert stack.job(job_id)["state"] == "active", name

    ended = stack.finish(job_id)
    assert (ended["state"], ended["attemptsMade"]) == ("completed", 1)
    assert stack.notes() == [f"{job_id} 1 start", f"{job_id} 1 end"]
    assert stack.runs(job_id) == [("1", "SUCCESS")]
    assert stack.events(job_id) == ["job.started", "job.completed"]
    assert "shows no sign of life" not in stack.log()
    assert "starting it again" not in stack.log()
    report(f"steps {', '.join(STEPS)}: nothing taken back, nothing twice")


def test_a_cancelled_job_that_does_not_look_is_ended_in_time_after_a_step_back(
    stack: FaultStack, time_of_day: TimeOfDay
) -> None:
    job_id = stack.begin("nap", 60)
    stack.wait_for_note(f"{job_id} 1 start")
    began = time.monotonic()

    assert stack.request("POST", f"/jobs/{job_id}/cancel").status == 202
    time_of_day.step_to(-3600)

    assert stack.finish(job_id)["state"] == "cancelled"
    assert time.monotonic() - began < 10
