"""The contract between pirunner and a job type: what a handler declares, gets, returns and raises.

A job type is one module in ``jobs/handlers`` with an input model, a function ``run`` and a ``JOB_TYPE`` that
names both. ``run(ctx, job_input)`` is called in a worker's child process, once per attempt:

* it returns a dict: the job is completed with it as ``returnvalue``; its ``summary`` (a sentence) and
  ``artifactPath`` also travel in the callback;
* it raises ``JobFailed`` (or anything else): the attempt failed, the next one follows after the back-off;
* it raises ``RetryAfter``: the same, but the next one follows after that many seconds;
* it raises ``DoNotRetry``: the job has failed.

A job may run again after a crash of its worker, so effects outside pirunner should be safe to repeat.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from webhooks.egress import CheckedClient


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """A file that a job wrote: its name, media type, size in bytes, SHA-256 as hex, and path on this machine."""

    name: str
    media_type: str
    size: int
    sha256: str
    path: str


class Context(Protocol):
    """What a handler is given beside its input."""

    job_id: str
    run: int
    attempt: int

    @property
    def http(self) -> CheckedClient:
        """The checked HTTP client under the owner's policy for fetching."""

    def artifact(self, name: str, content: str | bytes, media_type: str = "text/markdown") -> StoredArtifact:
        """Write a file atomically below ``DATA_DIR``; it becomes the job's when the attempt succeeds.

        ``name`` is a file name, not a path: anything else than letters, digits, ``.``, ``_`` and ``-`` is replaced.
        """


Handler = Callable[[Context, Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """One entry of the allowlist.

    ``input_model`` (any type msgspec understands) validates ``input`` and yields its JSON Schema; ``prepare`` is
    applied to ``input`` before that, for types whose old clients were loose with types. ``time_limit`` (seconds) is
    when the child process is ended; ``light`` types take milliseconds and do no network, so that many run per ring.
    """

    name: str
    description: str
    input_model: Any
    run: Handler
    prepare: Callable[[Any], Any] | None = None
    attempts: int = 3
    backoff_seconds: float = 5.0
    time_limit: float = 300.0
    light: bool = False
    queue: str = "jobs"
