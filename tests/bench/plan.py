"""How much is measured: all sizes of a run in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sizes of a run. Every figure that is printed is the median of ``rounds``."""

    rounds: int
    accept_requests: int
    connections: int
    drain_jobs: int
    callbacks: int
    callbacks_at: tuple[tuple[float, int], ...]  # (jobs a second, jobs in all) of each pace
    memory_jobs: int
    profiled_jobs: int
    ended_jobs: tuple[int, ...]
    idle_seconds: float
    schedules: int


FULL = Plan(
    rounds=3,
    accept_requests=4000,
    connections=8,
    drain_jobs=5000,
    callbacks=1000,
    callbacks_at=((1.0, 30), (20.0, 300)),
    memory_jobs=2000,
    profiled_jobs=2000,
    ended_jobs=(1_000, 100_000),
    idle_seconds=120.0,
    schedules=10_000,
)
QUICK = Plan(
    rounds=1,
    accept_requests=400,
    connections=8,
    drain_jobs=1000,
    callbacks=200,
    callbacks_at=((1.0, 4), (20.0, 40)),
    memory_jobs=200,
    profiled_jobs=400,
    ended_jobs=(1_000, 10_000),
    idle_seconds=20.0,
    schedules=10_000,
)
