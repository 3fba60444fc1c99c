"""Which artifacts a job may read: those of jobs of its own owner. The machine's owner and its people may read all."""

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from jobs.artifacts import open_artifact
from jobs.contract import ReadArtifact
from jobs.errors import DoNotRetry
from jobs.models import Artifact
from jobs.selectors import is_id
from pirunner.access import BOOTSTRAP
from pirunner.callers import is_person

if TYPE_CHECKING:
    from django.db.models import QuerySet


def readable_artifact(artifact_id: str, owner: str) -> Artifact | None:
    """Return the artifact with this id as clients write it, None if there is none that ``owner`` may read."""
    return readable_by(owner).filter(pk=int(artifact_id)).first() if is_id(artifact_id) else None


def reads_all(owner: str) -> bool:
    """Return whether ``owner`` may read the files of every job: the machine's owner, and its people."""
    return owner == BOOTSTRAP or is_person(owner)


def readable_by(owner: str) -> "QuerySet[Artifact]":
    """Return the artifacts that ``owner`` may read: its own, or all if it is the machine's or a person."""
    if reads_all(owner):
        return Artifact.objects.all()
    return Artifact.objects.filter(job__owner=owner)


def read_whole(artifact_id: str, *, owner: str, max_bytes: int) -> ReadArtifact:
    """Return an artifact with its bytes; raises ``DoNotRetry`` when there is none to read, or it is too large."""
    artifact = readable_artifact(artifact_id, owner)
    if artifact is None:
        raise DoNotRetry(missing_sentence(artifact_id))
    if artifact.size > max_bytes:
        raise DoNotRetry(f"Artifact {artifact_id} has {artifact.size} bytes; at most {max_bytes} are read here.")
    try:
        with open_artifact(artifact) as file:
            content = file.read()
    except OSError:
        raise DoNotRetry(f"The file of artifact {artifact_id} is no longer as its job wrote it.") from None
    return ReadArtifact(artifact_id=artifact_id, name=artifact.name, media_type=artifact.media_type, content=content)


def is_of_type(media_type: str, patterns: tuple[str, ...]) -> bool:
    """Return whether a media type, whatever its parameters, is one of the patterns, like ``text/*``; none means all."""
    bare = media_type.partition(";")[0].strip().lower()
    return not patterns or any(fnmatchcase(bare, pattern) for pattern in patterns)


def missing_sentence(artifact_id: str) -> str:
    """Return what to say of an artifact that does not exist, or is somebody else's."""
    return (
        f"There is no artifact {artifact_id[:40]!r} that this job may read: it is gone with its job, or another "
        "token's. GET /jobs/<id>/artifacts lists those of a job."
    )
