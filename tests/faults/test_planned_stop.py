"""A planned stop waits for what ends soon, and no longer."""

import time

import pytest

from tests.faults.harness import FaultStack

pytestmark = pytest.mark.faults


def test_a_stop_waits_for_a_job_that_ends_soon_and_not_longer(stack: FaultStack) -> None:
    job_id = stack.begin("nap", 3)
    stack.wait_for_note(f"{job_id} 1 start")
    began = time.monotonic()

    assert stack.stop() == 0

    assert time.monotonic() - began < 12
    assert stack.rows("SELECT state, attempts_made FROM jobs_job WHERE id = %s", int(job_id)) == [("completed", 1)]
