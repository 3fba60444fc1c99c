"""Jobs: how many are where, what waits, what has ended, and how long it took."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import Metric

from jobs.catalog import allowed
from jobs.rollup import BOUNDS
from jobs.rollup_reading import RETRIED, TAKEN_BACK
from jobs.rollup_selectors import AllTimeFigures, RunFigures, all_time, runs
from jobs.selectors import count_states, waiting_by_type
from jobs.states import FINAL_STATES
from pirunner.metrics.families import counters, gauges, histograms

TYPE = ("job_type",)


def read(now: datetime) -> Iterator[Metric]:
    """Yield what there is to say of jobs."""
    states = {(state,): count for state, count in count_states().items()}
    yield gauges("pirunner_jobs", "Jobs that are kept, by state.", ("state",), states)
    yield from _waiting(now)
    ever = all_time()
    # What begins with 0 has a rise that Prometheus sees; of what begins with 1 it does not know.
    ends = {(name, state.value): 0 for name in sorted(allowed()) for state in sorted(FINAL_STATES)}
    ends |= {(each.job_type, each.state): each.ended for each in ever}
    yield counters("pirunner_jobs_ended", "Jobs that ended, by type and final state.", ("job_type", "state"), ends)
    yield histograms(
        "pirunner_job_duration_seconds",
        "From the start of a job's last run to its end.",
        TYPE,
        BOUNDS,
        _durations(ever),
    )
    yield from _runs(runs())


def _waiting(now: datetime) -> Iterator[Metric]:
    """Yield what waits: a type that may run and has nothing waiting is told with 0."""
    waiting = waiting_by_type(now)
    names = sorted({*allowed(), *waiting})
    counts = {(name,): waiting[name].count if name in waiting else 0 for name in names}
    ages = {(name,): waiting[name].oldest_seconds if name in waiting else 0.0 for name in names}
    yield gauges("pirunner_jobs_waiting", "Jobs that are due and that no worker has taken yet.", TYPE, counts)
    yield gauges(
        "pirunner_jobs_oldest_waiting_seconds", "For how long the oldest of them has been waiting.", TYPE, ages
    )


def _durations(ever: list[AllTimeFigures]) -> dict[tuple[str], tuple[list[int], float]]:
    """Return buckets and sums by type, all final states together."""
    found: dict[tuple[str], tuple[list[int], float]] = {}
    for each in ever:
        buckets, seconds = found.get((each.job_type,), ([0] * len(each.buckets), 0.0))
        together = [have + more for have, more in zip(buckets, each.buckets, strict=True)]
        found[each.job_type,] = (together, seconds + each.seconds)
    return found


def _runs(figures: list[RunFigures]) -> Iterator[Metric]:
    none = {(name,): 0 for name in sorted(allowed())}
    retried = none | {(each.job_type,): each.count for each in figures if each.what == RETRIED}
    taken_back = none | {(each.job_type,): each.count for each in figures if each.what == TAKEN_BACK}
    yield counters("pirunner_runs_retried", "Runs that failed and were to be tried again.", TYPE, retried)
    yield counters(
        "pirunner_runs_taken_back", "Runs that were taken back from a worker that was lost.", TYPE, taken_back
    )
