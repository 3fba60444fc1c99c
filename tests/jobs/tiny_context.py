"""A context for handlers in tests: artifacts go to a folder, the HTTP client may reach this machine.

What a handler remembers, keeps and spends is kept in plain attributes, for a test to set and to look at.
"""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.contract import MOST_READ, ReadArtifact, StoredArtifact
from jobs.errors import DoNotRetry, JobCancelled
from webhooks.egress import AllowedHosts, CheckedClient, Policy


class TinyContext:
    """Attempt 2, run 3 of job 41."""

    job_id = "41"
    owner = "bootstrap"
    run = 3
    attempt = 2

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.http = CheckedClient(Policy.for_fetching(AllowedHosts.parse(["127.0.0.1"])))
        self.artifacts: list[StoredArtifact] = []
        self.due_at = datetime.now(UTC)
        self.readable: dict[str, ReadArtifact] = {}
        self.remembered: dict[str, Any] = {}
        self.kept: dict[str, Any] = {}
        self.tokens = 0
        self.reserved: list[int] = []
        self.lines: list[str] = []
        self.is_cancelled = False

    def artifact(self, name: str, content: str | bytes, media_type: str = "text/markdown") -> StoredArtifact:
        body = content.encode() if isinstance(content, str) else content
        path = self.folder / name
        path.write_bytes(body)
        stored = StoredArtifact(name, media_type, len(body), hashlib.sha256(body).hexdigest(), str(path))
        self.artifacts.append(stored)
        return stored

    def read_artifact(self, artifact_id: str, max_bytes: int = MOST_READ) -> ReadArtifact:
        found = self.readable.get(artifact_id)
        if found is None or found.size > max_bytes:
            raise DoNotRetry(f"There is no artifact {artifact_id!r} of at most {max_bytes} bytes.")
        return found

    def checkpoint(self, key: str, value: Any) -> None:
        self.remembered[key] = json.loads(json.dumps(value))

    def checkpoints(self) -> dict[str, Any]:
        return dict(self.remembered)

    def keep(self, key: str, value: Any) -> None:
        self.kept[key] = json.loads(json.dumps(value))

    def recall(self, key: str) -> Any:
        return self.kept.get(key)

    def reserve(self, tokens: int) -> None:
        self.reserved.append(tokens)

    def spend(self, tokens: int = 0, usd: float = 0.0, *, reserved: int = 0) -> None:  # noqa: ARG002
        self.tokens += tokens
        if reserved:
            self.reserved.remove(reserved)

    def progress(self, percent: float, message: str = "") -> None:
        """Nobody watches."""

    def log(self, message: str, level: str = "info") -> None:
        self.lines.append(f"{level}: {message}")

    def cancelled(self) -> bool:
        return self.is_cancelled

    def sleep(self, seconds: float) -> None:  # noqa: ARG002
        """Nobody waits."""
        if self.is_cancelled:
            raise JobCancelled
