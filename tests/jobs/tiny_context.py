"""A context for handlers in tests: artifacts go to a folder, the HTTP client may reach this machine."""

import hashlib
from pathlib import Path

from jobs.contract import StoredArtifact
from webhooks.egress import AllowedHosts, CheckedClient, Policy


class TinyContext:
    """Attempt 2, run 3 of job 41."""

    job_id = "41"
    run = 3
    attempt = 2

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http = CheckedClient(Policy.for_fetching(AllowedHosts.parse(["127.0.0.1"])))
        self.artifacts: list[StoredArtifact] = []

    def artifact(self, name: str, content: str | bytes, media_type: str = "text/markdown") -> StoredArtifact:
        body = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        path.write_bytes(body)
        stored = StoredArtifact(name, media_type, len(body), hashlib.sha256(body).hexdigest(), str(path))
        self.artifacts.append(stored)
        return stored

    def progress(self, percent: float, message: str = "") -> None:
        """Nobody watches."""

    def log(self, message: str, level: str = "info") -> None:
        """Nobody reads."""

    def cancelled(self) -> bool:
        return False

    def sleep(self, seconds: float) -> None:
        """Nobody waits."""
