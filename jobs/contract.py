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
from datetime import datetime
from typing import Any, ClassVar, Protocol

from pirunner.errors import Fault
from webhooks.egress import CheckedClient


@dataclass(frozen=True, slots=True)
class StoredArtifact:
    """A file that a job wrote: its name, media type, size in bytes, SHA-256 as hex, and path on this machine."""

    name: str
    media_type: str
    size: int
    sha256: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadArtifact:
    """A file that an earlier job wrote, with its bytes."""

    artifact_id: str
    name: str
    media_type: str
    content: bytes

    @property
    def size(self) -> int:
        """Its size in bytes."""
        return len(self.content)


MOST_READ = 32 * 1024 * 1024
"""Bytes of an artifact that a handler gets unless it says otherwise."""


class Context(Protocol):
    """What a handler is given beside its input."""

    job_id: str
    owner: str
    run: int
    attempt: int
    due_at: datetime
    """When this attempt was to begin: ``runAt``, a schedule's due time, or the end of the pause before a retry."""

    @property
    def http(self) -> CheckedClient:
        """The checked HTTP client under the owner's policy for fetching."""

    def artifact(self, name: str, content: str | bytes, media_type: str = "text/markdown") -> StoredArtifact:
        """Write a file atomically below ``DATA_DIR``; it becomes the job's when the attempt succeeds.

        ``name`` is a file name, not a path: anything else than letters, digits, ``.``, ``_`` and ``-`` is replaced.
        Raises ``DoNotRetry`` when the files of a run are larger than 64 MiB together.
        """

    def read_artifact(self, artifact_id: str, max_bytes: int = MOST_READ) -> ReadArtifact:
        """Return a file that a job of the same owner wrote (the machine's owner may read all).

        Raises ``DoNotRetry`` when there is none, it is gone from the disk, or larger than ``max_bytes``.
        """

    def checkpoint(self, key: str, value: Any) -> None:
        """Remember that something is done: ``checkpoints()`` of the next attempts holds it.

        On disk when this returns (a power cut alone may take it back). Up to 10,000 keys a job, 256 KiB of JSON each;
        ``None`` is a value as good as any. Call it from the thread of ``run``. Raises ``RunLost`` when the run is over.
        """

    def checkpoints(self) -> dict[str, Any]:
        """Return what this job has remembered, in earlier attempts and in this one; gone once it is completed."""

    def keep(self, key: str, value: Any) -> None:
        """Keep a value for the next job of the same type and owner: up to 256 KiB of JSON, for a year unless touched.

        It is written in the transaction that completes the job: an attempt that fails leaves nothing.
        """

    def recall(self, key: str) -> Any:
        """Return what was kept under a key, by this run or the last completed job that kept it; None if nothing."""

    def reserve(self, tokens: int) -> None:
        """Take tokens off the owner's budgets before a call that may cost so many; settle with ``spend`` afterwards.

        Raises ``BudgetExceeded``, which ends the job, when a budget does not suffice; then none are taken.
        """

    def spend(self, tokens: int = 0, usd: float = 0.0, *, reserved: int = 0) -> None:
        """Record what a call has cost; ``reserved`` is what ``reserve`` took for it, and is given back.

        Raises ``BudgetExceeded`` when more is spent now than a budget allows.
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
    applied to ``input`` before that, for types whose old clients were loose with types; ``check`` returns the faults
    of a valid input that a schema cannot express, their paths beginning at the input. After ``time_limit`` seconds
    ``TimeLimitExceeded`` is raised in the handler, and ``HARD_GRACE`` later its process is ended; it is ended too
    when it takes more than ``memory_limit`` MiB. A ``long`` type always leaves a slot of its worker to others;
    ``light`` types take milliseconds and do no network, so that many run per ring. Of a type that ``may_be_quiet``, a
    job whose result has ``"notify": false`` calls nobody back; of others that is a word like any other.
    """

    name: str
    description: str
    input_model: Any
    run: Handler
    prepare: Callable[[Any], Any] | None = None
    check: Callable[[Any], list[Fault]] | None = None
    attempts: int = 3
    backoff_seconds: float = 5.0
    time_limit: float = 300.0
    memory_limit: int = 256
    light: bool = False
    long: bool = False
    may_be_quiet: bool = False
    queue: ClassVar[str] = "jobs"
