"""The context that handlers are given; ``jobs.contract.Context`` is its description."""

import time
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import DatabaseError

from jobs import memory, spending
from jobs.artifact_access import read_whole
from jobs.artifacts import write_artifact
from jobs.contract import MOST_READ, ReadArtifact, StoredArtifact
from jobs.errors import DoNotRetry, JobCancelled
from jobs.models import Job
from jobs.reporting import Reporter
from jobs.runs import Claim
from webhooks.egress import AllowedHosts, CheckedClient, Policy

LOOK_SECONDS = 0.5
ARTIFACT_BYTES = 64 * 1024 * 1024


class RunContext:
    """What one run of a job may use, and what it has produced so far."""

    def __init__(self, claim: Claim) -> None:
        self.job_id = str(claim.job_id)
        self.owner = claim.owner
        self.due_at = claim.due_at or claim.started_at
        self.run = claim.run
        self.attempt = claim.attempt
        self._claim = claim
        self._artifacts: dict[str, StoredArtifact] = {}
        self._reporter = Reporter(claim)
        self._looked_at = time.monotonic()
        self.saw_cancel = False
        self.kept: dict[str, Any] = {}
        self.checkpointed = False

    @property
    def artifacts(self) -> tuple[StoredArtifact, ...]:
        """The files written so far, of those with one name the last."""
        return tuple(self._artifacts.values())

    @cached_property
    def http(self) -> CheckedClient:
        """The checked HTTP client under the owner's policy for fetching."""
        return CheckedClient(Policy.for_fetching(AllowedHosts.parse(settings.FETCH_ALLOWED_HOSTS)))

    def artifact(self, name: str, content: str | bytes, media_type: str = "text/markdown") -> StoredArtifact:
        """Write a file atomically below ``DATA_DIR``; see the contract."""
        raw = content.encode() if isinstance(content, str) else content
        if sum(stored.size for stored in self._artifacts.values()) + len(raw) > ARTIFACT_BYTES:
            raise DoNotRetry(f"The files of a run may take {ARTIFACT_BYTES} bytes together.")
        stored = write_artifact(job_id=self._claim.job_id, run=self.run, name=name, raw=raw, media_type=media_type)
        self._artifacts[stored.name] = stored
        return stored

    def read_artifact(self, artifact_id: str, max_bytes: int = MOST_READ) -> ReadArtifact:
        """Return a file that a job of the same owner wrote; see the contract."""
        return read_whole(artifact_id, owner=self._claim.owner, max_bytes=max_bytes)

    def checkpoint(self, key: str, value: Any) -> None:
        """Remember that something is done; see the contract."""
        remembered = memory.as_remembered(key, value, beside=self._checkpoints)
        memory.save_checkpoint(self._claim, key, remembered)
        self._checkpoints[key] = remembered
        self.checkpointed = True

    def checkpoints(self) -> dict[str, Any]:
        """Return what this job has remembered; see the contract."""
        return dict(self._checkpoints)

    def keep(self, key: str, value: Any) -> None:
        """Keep a value for the next job of the same type and owner; see the contract."""
        self.kept[key] = memory.as_remembered(key, value, beside=self.kept)

    def recall(self, key: str) -> Any:
        """Return what was kept under a key; see the contract."""
        return self.kept[key] if key in self.kept else memory.recall(self._claim, key)

    def reserve(self, tokens: int) -> None:
        """Take tokens off the owner's budgets before they are spent; see the contract."""
        spending.reserve(self._claim, tokens)

    def spend(self, tokens: int = 0, usd: float = 0.0, *, reserved: int = 0) -> None:
        """Record what a call has cost; see the contract."""
        spending.spend(self._claim, tokens - reserved, usd)

    def progress(self, percent: float, message: str = "") -> None:
        """Say how far the job is; see the contract."""
        self._reporter.progress(percent, message)

    def log(self, message: str, level: str = "info") -> None:
        """Write a line of the job's log; see the contract."""
        self._reporter.log(message, level)

    def cancelled(self) -> bool:
        """Return whether somebody cancelled the job; it looks at the row twice a second at most."""
        now = time.monotonic()
        if not self.saw_cancel and now - self._looked_at >= LOOK_SECONDS:
            self._looked_at = now
            self.saw_cancel = self._cancel_requested()
        return self.saw_cancel

    def sleep(self, seconds: float) -> None:
        """Sleep; raises ``JobCancelled`` as soon as somebody cancels the job."""
        until = time.monotonic() + seconds
        while True:
            if self.cancelled():
                raise JobCancelled
            left = until - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, LOOK_SECONDS))

    def close(self) -> None:
        """Write what was said and not yet written; the run is over."""
        self._reporter.close()

    @cached_property
    def _checkpoints(self) -> dict[str, Any]:
        # The first run of a job has nothing to look up.
        return memory.load_checkpoints(self._claim.job_id) if self._claim.run > 1 else {}

    def _cancel_requested(self) -> bool:
        try:
            return Job.objects.filter(pk=self._claim.job_id, cancel_requested_at__isnull=False).exists()
        except DatabaseError:
            return False  # locked now; the next look is half a second away
