"""A context for handlers that remember: what is kept goes to the next one, checkpoints to the next attempt."""

import json
from collections.abc import Callable  # noqa: TC003  (as everywhere here)
from pathlib import Path
from typing import Any

from jobs import catalog, memory
from jobs.contract import JobType, ReadArtifact
from jobs.errors import DoNotRetry, JobCancelled
from tests.jobs.tiny_context import TinyContext


class HandlerContext(TinyContext):
    """Remembers as ``RunContext`` does, without a database; ``files`` are what earlier jobs wrote."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.files: dict[str, ReadArtifact] = {}
        self.lines: list[str] = []
        self.slept: list[float] = []
        self.cancel_when: Callable[[], bool] = lambda: False
        self._kept: dict[str, Any] = {}
        self._keeping: dict[str, Any] = {}
        self._checkpoints: dict[str, Any] = {}

    def add_file(self, artifact_id: str, name: str, content: bytes, media_type: str) -> None:
        self.files[artifact_id] = ReadArtifact(
            artifact_id=artifact_id, name=name, media_type=media_type, content=content
        )

    def read_artifact(self, artifact_id: str, max_bytes: int = 32 * 1024 * 1024) -> ReadArtifact:
        if artifact_id not in self.files or self.files[artifact_id].size > max_bytes:
            raise DoNotRetry(f"There is no artifact {artifact_id} that could be read.")
        return self.files[artifact_id]

    def checkpoint(self, key: str, value: Any) -> None:
        assert len(json.dumps(value)) <= memory.VALUE_LENGTH
        self._checkpoints[key] = value

    def checkpoints(self) -> dict[str, Any]:
        return dict(self._checkpoints)

    def keep(self, key: str, value: Any) -> None:
        assert len(json.dumps(value)) <= memory.VALUE_LENGTH
        self._keeping[key] = value

    def recall(self, key: str) -> Any:
        return self._keeping.get(key, self._kept.get(key))

    def log(self, message: str, level: str = "info") -> None:  # noqa: ARG002  (the contract's)
        self.lines.append(message)

    def cancelled(self) -> bool:
        return self.cancel_when()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if self.cancelled():
            raise JobCancelled

    def complete(self) -> None:
        """The job has completed: what it kept is there for the next one, its checkpoints are gone."""
        self._kept |= self._keeping
        self.next_attempt()
        self._checkpoints = {}

    def next_attempt(self) -> None:
        """The attempt is over, and its files and what it wanted to keep with it."""
        self._keeping = {}
        self.artifacts = []
        self.lines = []

    def text_of(self, name: str) -> str:
        """What an artifact says."""
        return (self.folder / name).read_text(encoding="utf-8")


def run(job_type: JobType, context: HandlerContext, **job_input: Any) -> dict[str, Any]:
    """Validate an input as a submission would be, and run the handler."""
    value, faults = catalog.validate_input(job_type, job_input)
    assert faults == [], faults
    return dict(job_type.run(context, value))


def faults_of(job_type: JobType, **job_input: Any) -> list[tuple[tuple[str | int, ...], str]]:
    """Return path and code of every fault of an input."""
    _, faults = catalog.validate_input(job_type, job_input)
    return [(fault.path, fault.code) for fault in faults]
