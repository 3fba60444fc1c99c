"""Profiles ``jobs.runner.answer_ring`` for waiting pings, as a child of the worker calls it.

The argument is how many. Prints the section as JSON.
"""

import json
import sys

from tests.bench.parts import profiling

BATCH = 100


def main() -> None:
    """Profile and print."""
    profiling.prepare()
    count = int(sys.argv[1])
    _drain(count)  # what an earlier part has left waiting
    _fill(count)
    print(json.dumps([profiling.section("drain, one child alone", _drain, count, again=lambda: _fill(count))]))


def _fill(count: int) -> None:
    from jobs.catalog import find
    from jobs.services import NewJob, submit_many

    ping = find("ping")
    assert ping is not None
    new_job = NewJob(job_type=ping, input={"hello": "world"}, owner="bench")
    for start in range(0, count, BATCH):
        submit_many([new_job] * min(BATCH, count - start))


def _drain(count: int) -> None:
    """Answer rings until nothing waits: a child stops after 2 s, and the next ring comes at once."""
    from jobs.models import Job
    from jobs.runner import answer_ring

    del count
    while Job.objects.waiting().exists():
        answer_ring("ping", worker="bench@localhost")


if __name__ == "__main__":
    main()
