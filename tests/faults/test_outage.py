"""After a power cut, one event tells from when to when pirunner was away and what that did."""

import json
import time
from pathlib import Path

import pytest

from tests.faults.harness import FaultStack
from tests.stack import wait_for

pytestmark = pytest.mark.faults


def reports(stack: FaultStack) -> list[dict[str, object]]:
    """Return the payloads of the events about outages."""
    rows = stack.rows("SELECT payload FROM webhooks_event WHERE kind = 'runner.recovered' ORDER BY seq")
    return [json.loads(payload) for (payload,) in rows]


def test_a_power_cut_is_reported_once_with_what_it_interrupted(stack: FaultStack) -> None:
    job_id = stack.begin("nap", 3)
    stack.wait_for_note(f"{job_id} 1 start")
    mark = Path(stack.environment["RUNNER_DATA_DIR"]) / "run" / "clock.alive"
    wait_for(lambda: mark.exists() and time.time() - mark.stat().st_mtime > 1.5)
    stack.cut_power()
    wait_for(lambda: time.time() - mark.stat().st_mtime > 6)
    stack.start()
    wait_for(lambda: reports(stack), 60)
    (report,) = reports(stack)
    assert report["takenBack"] == [job_id]
    assert 5 < float(str(report["seconds"])) < 60


def test_a_wanted_stop_is_no_outage(stack: FaultStack) -> None:
    assert stack.stop() == 0
    assert not (Path(stack.environment["RUNNER_DATA_DIR"]) / "run" / "clock.alive").exists()
