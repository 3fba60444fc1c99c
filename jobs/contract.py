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
from typing import Any, ClassVar, Protocol

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
        Raises ``DoNotRetry`` when the files of a run are larger than 64 MiB together.
        """

    def progress(self, percent: float, message: str = "") -> None:
        """Say how far the job is, 0 to 100; it is shown within a second, and may be called as often as one likes."""

    def log(self, message: str, level: str = "info") -> None:
        """Write a line of the job's log, shown within a second; level is debug, info, warning or error."""

    def cancelled(self) -> bool:
        """Return whether somebody cancelled the job; cheap enough for every turn of a loop.

        A handler that sees it should clean up and return or raise ``JobCancelled``; one that does not is ended.
        """

    def sleep(self, seconds: float) -> None:
        """Sleep; raises ``JobCancelled`` as soon as somebody cancels the job."""


HARD_GRACE = 10.0
"""Seconds between the exception in the handler and the end of its process."""

Handler = Callable[[Context, Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobType:
    """One entry of the allowlist.

    ``input_model`` (any type msgspec understands) validates ``input`` and yields its JSON Schema; ``prepare`` is
    applied to ``input`` before that, for types whose old clients were loose with types. After ``time_limit`` seconds
    ``TimeLimitExceeded`` is raised in the handler, and ``HARD_GRACE`` later its process is ended; it is ended too
    when it takes more than ``memory_limit`` MiB. A ``long`` type always leaves a slot of its worker to others;
    ``light`` types take milliseconds and do no network, so that many run per ring.
    """

    name: str
    description: str
    input_model: Any
    run: Handler
    prepare: Callable[[Any], Any] | None = None
    attempts: int = 3
    backoff_seconds: float = 5.0
    time_limit: float = 300.0
    memory_limit: int = 256
    light: bool = False
    long: bool = False
    queue: ClassVar[str] = "jobs"
