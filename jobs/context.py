"""The context that handlers are given; ``jobs.contract.Context`` is its description."""

import time
from functools import cached_property

from django.conf import settings
from django.db import DatabaseError

from jobs.artifacts import write_artifact
from jobs.contract import StoredArtifact
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
        self.run = claim.run
        self.attempt = claim.attempt
        self._claim = claim
        self._artifacts: dict[str, StoredArtifact] = {}
        self._reporter = Reporter(claim)
        self._looked_at = time.monotonic()
        self.saw_cancel = False

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

    def _cancel_requested(self) -> bool:
        try:
            return Job.objects.filter(pk=self._claim.job_id, cancel_requested_at__isnull=False).exists()
        except DatabaseError:
            return False  # locked now; the next look is half a second away
