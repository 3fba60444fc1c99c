"""The context that handlers are given; ``jobs.contract.Context`` is its description."""

from functools import cached_property

from django.conf import settings

from jobs.artifacts import write_artifact
from jobs.contract import StoredArtifact
from jobs.runs import Claim
from webhooks.egress import AllowedHosts, CheckedClient, Policy


class RunContext:
    """What one run of a job may use, and what it has produced so far."""

    def __init__(self, claim: Claim) -> None:
        self.job_id = str(claim.job_id)
        self.run = claim.run
        self.attempt = claim.attempt
        self._claim = claim
        self._artifacts: dict[str, StoredArtifact] = {}

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
        stored = write_artifact(
            job_id=self._claim.job_id, run=self.run, name=name, content=content, media_type=media_type
        )
        self._artifacts[stored.name] = stored
        return stored
