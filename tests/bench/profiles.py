"""`profile`: where the time goes when a job is accepted and when waiting jobs are run."""

import tempfile
from pathlib import Path

from tests.bench.children import result_of
from tests.bench.plan import Plan
from tests.bench.sandbox import private_redis, sandbox
from tests.bench.tables import show

_HEAD = ("by own time", "us a job", "share", "calls a job", "with what it calls, us")


def run(plan: Plan) -> None:
    """Profile both, each in a process of its own, and print a table for each part."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, private_redis() as broker_url:
        environment = sandbox(Path(folder), broker_url)
        for part in ("profile_accept", "profile_drain"):
            command = ("-m", f"tests.bench.parts.{part}", str(plan.profiled_jobs))
            for section in result_of(*command, environment=environment):
                show(
                    f"profile: {section['title']}, {section['plain']:.0f} us a job unprofiled",
                    _HEAD,
                    section["rows"],
                )
