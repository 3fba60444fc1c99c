"""Inputs that name files of earlier jobs: fields declared as artifacts, and the two ways to refer to one.

Where a model declares ``ArtifactId`` (or ``artifact_of("text/*")``), a client sends the id of an artifact,
``{"$artifact": "12"}``, or ``{"$job": "7", "artifact": "report.md"}``. All three are looked up when the job is
submitted, and the job keeps the id: what a job reads is settled then. The earlier job must have completed by that time.
A schedule keeps what the client sent, and it is looked up anew whenever it fires.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from jobs.artifact_access import is_of_type, missing_sentence, readable_artifact, readable_by, reads_all
from jobs.artifact_fields import MARK
from jobs.catalog import input_schema, validate_input
from jobs.contract import JobType
from jobs.models import Artifact, Job
from jobs.selectors import find_job
from jobs.states import FINAL_STATES, State
from jobs.validation import prepare
from pirunner.errors import Fault, Path

ARTIFACT, JOB, NAME = "$artifact", "$job", "artifact"

Change = Callable[[Any, Path, tuple[str, ...]], Any]


def check_input(job_type: JobType, value: Any, *, owner: str | None) -> tuple[Any, list[Fault]]:
    """Return an input with its references looked up, as a job keeps it, and every fault of it.

    Without ``owner`` none is looked up. The paths of the faults start at the input itself.
    """
    resolved, faults = (value, []) if owner is None else resolve(job_type, value, owner=owner)
    if faults or owner is None:
        # What else is wrong is told as well; where a reference is, any id would do.
        resolved = _walked(job_type, value, lambda _value, _path, _types: "1")
    _, more = validate_input(job_type, resolved)
    return resolved, faults + more


def resolve(job_type: JobType, value: Any, *, owner: str) -> tuple[Any, list[Fault]]:
    """Return an input in which every reference to an artifact is its id, and the faults of those that lead nowhere."""
    faults: list[Fault] = []

    def look_up(reference: Any, path: Path, media_types: tuple[str, ...]) -> Any:
        outcome = _find(reference, owner)
        if isinstance(outcome, Artifact) and not is_of_type(outcome.media_type, media_types):
            wanted = " or ".join(media_types)
            outcome = Fault((), "wrong_media_type", f"{outcome.name} is {outcome.media_type}; send {wanted}.")
        if isinstance(outcome, Fault):
            faults.append(outcome.below(*path))
            return reference
        return reference if outcome is None else str(outcome.pk)

    return _walked(job_type, value, look_up), faults


def _find(reference: Any, owner: str) -> Artifact | Fault | None:
    """Return what a reference leads to; None for what is none, which the field's own check will say."""
    if isinstance(reference, str):
        return _by_id(reference, owner)
    if not isinstance(reference, dict):
        return None
    if reference.keys() == {ARTIFACT} and isinstance(reference[ARTIFACT], str):
        return _by_id(reference[ARTIFACT], owner)
    if reference.keys() == {JOB, NAME} and all(isinstance(part, str) for part in reference.values()):
        return _of_job(reference[JOB], reference[NAME], owner)
    message = f'Send the id of an artifact, {{"{ARTIFACT}": "<id>"}} or {{"{JOB}": "<id>", "{NAME}": "<name>"}}.'
    return Fault((), "invalid_reference", message)


def _by_id(artifact_id: str, owner: str) -> Artifact | Fault:
    return readable_artifact(artifact_id, owner) or Fault((), "unknown_artifact", missing_sentence(artifact_id))


def _of_job(job_id: str, name: str, owner: str) -> Artifact | Fault:
    job = find_job(job_id)
    if job is None or not (reads_all(owner) or job.owner == owner):
        return Fault((), "unknown_job", f"There is no job {job_id[:40]!r} of yours.")
    if job.state not in FINAL_STATES:
        wait = f"Job {job_id} is {job.state}: submit this when it has completed (GET /jobs/{job_id}?wait=50)."
        return Fault((), "job_not_ended", wait)
    if job.state != State.COMPLETED:
        return Fault((), "job_not_completed", f"Job {job_id} has {_ended_as(job)}; there is nothing to read of it.")
    found = readable_by(owner).filter(job=job, name=name).order_by("-pk").first()
    if found is None:
        names = ", ".join(Artifact.objects.filter(job=job).order_by("pk").values_list("name", flat=True)[:20])
        return Fault((), "unknown_artifact", f"Job {job_id} wrote no {name[:80]!r}; it wrote: {names or 'nothing'}.")
    return found


def _ended_as(job: Job) -> str:
    return "been cancelled" if job.state == State.CANCELLED else str(job.state)


def _walked(job_type: JobType, value: Any, change: Change) -> Any:
    """Return an input with ``change`` made of every value that stands where an artifact is declared."""
    if not _declares_artifacts(job_type):
        return value
    return _walk(input_schema(job_type), prepare(job_type, value), (), change)


@cache
def _declares_artifacts(job_type: JobType) -> bool:
    return _mentions(input_schema(job_type))


def _mentions(schema: Any) -> bool:
    if isinstance(schema, Mapping):
        return MARK in schema or any(map(_mentions, schema.values()))
    return isinstance(schema, list) and any(map(_mentions, schema))


def _walk(schema: Mapping[str, Any], value: Any, path: Path, change: Change) -> Any:
    """Follow a schema and a value side by side; of what a schema refers to by ``$ref`` no artifacts are declared."""
    if MARK in schema:
        return change(value, path, tuple(schema[MARK]["mediaTypes"]))
    for branch in schema.get("anyOf", ()):
        if value is not None and _mentions(branch):
            return _walk(branch, value, path, change)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {
            name: _walk(properties[name], part, (*path, name), change) if name in properties else part
            for name, part in value.items()
        }
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [_walk(schema["items"], part, (*path, number), change) for number, part in enumerate(value)]
    return value
