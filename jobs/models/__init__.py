"""The rows of the jobs; begin reading at ``job``."""

from jobs.models.figures import Canary, JobHour, RollupCursor, RunCount, Tally
from jobs.models.job import Artifact, IdempotencyKey, Job, JobQuerySet, LogLine
from jobs.models.memory import Checkpoint, DaySpending, JobSpending, KeptValue
from jobs.models.search import SearchCollection, SearchDocument

__all__ = [
    "Artifact",
    "Canary",
    "Checkpoint",
    "DaySpending",
    "IdempotencyKey",
    "Job",
    "JobHour",
    "JobQuerySet",
    "JobSpending",
    "KeptValue",
    "LogLine",
    "RollupCursor",
    "RunCount",
    "SearchCollection",
    "SearchDocument",
    "Tally",
]
