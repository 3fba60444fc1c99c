"""Everything ends at once, and is started again on the same folder."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.faults.harness import FaultStack

pytestmark = pytest.mark.faults


def test_what_was_accepted_ends_after_the_next_start(stack: FaultStack, report: Callable[[str], None]):
    active = [stack.begin("nap", 2) for _ in range(2)]
    for job_id in active:
        stack.wait_for_note(f"{job_id} 1 start")
    waiting = [stack.begin("nap") for _ in range(20)] + [stack.submit("ping") for _ in range(20)]
    due = datetime.now(UTC) + timedelta(seconds=3)
    delayed = [stack.submit("ping", schedule={"runAt": due.isoformat()}) for _ in range(5)]
    everything = [*active, *waiting, *delayed]
    assert stack.states(everything) == {"active": 2, "waiting": 40, "delayed": 5}

    stack.cut_power()
    began = time.monotonic()
    stack.start()

    stack.wait_until_done(everything, 25)
    took = time.monotonic() - began
    assert stack.states(everything) == {"completed": len(everything)}
    assert [stack.job(job_id)["attemptsMade"] for job_id in active] == [2, 2]
    assert stack.rows("PRAGMA integrity_check") == [("ok",)]
    report(f"{len(everything)} jobs done {took:.1f} s after the next start")
