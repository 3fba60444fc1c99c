"""The job type ``ping``."""

from pathlib import Path
from typing import Any

import pytest

from jobs import catalog
from jobs.handlers import ping
from tests.jobs.tiny_context import TinyContext


@pytest.mark.parametrize("value", [None, 0, "text", [1, None], {"nested": {"deep": [True]}}])
def test_it_answers_pong_and_what_it_was_given(tmp_path: Path, value: Any) -> None:
    job_input, faults = catalog.validate_input(ping.JOB_TYPE, value)

    assert faults == []
    assert ping.run(TinyContext(tmp_path), job_input) == {
        "summary": "pong",
        "input": value,
        "ctx": {"jobId": "41", "attempt": 2},
    }


def test_it_may_be_chained_with_others() -> None:
    assert ping.JOB_TYPE.light
