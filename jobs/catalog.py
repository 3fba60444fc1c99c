"""The allowlist: the job types there are, which of them may run, and what each takes.

A job type exists only if it stands in ``JOB_TYPES`` or an installed package registers it. It runs only if
``RUNNER_JOBS`` names it (or is empty).
Nothing that a client sends becomes a command, a module or a path.
"""

from functools import cache
from importlib.metadata import entry_points
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from jobs.contract import JobType
from jobs.handlers import daily_crypto_brief, ping, reminder
from jobs.validation import faults_of, prepare
from pirunner.errors import Fault

JOB_TYPES = (
    ping.JOB_TYPE,
    reminder.JOB_TYPE,
    daily_crypto_brief.JOB_TYPE,
)

ENTRY_POINTS = "pirunner.job_types"


def registered() -> dict[str, JobType]:
    """Return every job type by name: those built in, and those of other installed packages."""
    return {job_type.name: job_type for job_type in (*_plugged_in(), *JOB_TYPES)}


def unknown_names() -> list[str]:
    """Return the names in ``RUNNER_JOBS`` that no job type has."""
    return [name for name in settings.RUNNER_JOBS if name not in registered()]


def allowed() -> dict[str, JobType]:
    """Return the job types that may run, by name. Raises ``ImproperlyConfigured`` for unknown names."""
    if unknown := unknown_names():
        raise ImproperlyConfigured(f"RUNNER_JOBS names job types that do not exist: {', '.join(unknown)}.")
    names = settings.RUNNER_JOBS or registered()
    return {name: job_type for name, job_type in registered().items() if name in names}


def find(name: str) -> JobType | None:
    """Return the job type of that name, None if there is none or it may not run."""
    return allowed().get(name)


def validate_input(job_type: JobType, value: Any) -> tuple[Any, list[Fault]]:
    """Return the input as the handler wants it and no faults, or None and every fault.

    The paths of the faults start at the input itself.
    """
    prepared = prepare(job_type, value)
    try:
        return msgspec.convert(prepared, job_type.input_model), []
    except msgspec.ValidationError as error:
        return None, faults_of(input_schema(job_type), prepared) or [_unlisted(error)]


def job_types_document() -> list[dict[str, Any]]:
    """Return the job types that may run as ``GET /job-types`` lists them."""
    return [_describe(job_type) for job_type in allowed().values()]


@cache
def input_schema(job_type: JobType) -> dict[str, Any]:
    """Return the JSON Schema of a job type's input, complete in itself. It is shared: do not change it."""
    schema = msgspec.json.schema(job_type.input_model)
    if "$ref" not in schema:
        return schema
    # msgspec puts a model below $defs and points to it; the model itself at the top is easier to read.
    definitions = schema["$defs"]
    model = definitions[schema["$ref"].removeprefix("#/$defs/")]
    refers = b'"$ref"' in msgspec.json.encode(model)
    return {**model, "$defs": definitions} if refers else dict(model)


@cache
def _plugged_in() -> tuple[JobType, ...]:
    """Return the job types that installed packages name as entry points of the group ``pirunner.job_types``."""
    return tuple(point.load() for point in entry_points(group=ENTRY_POINTS))


def _describe(job_type: JobType) -> dict[str, Any]:
    return {
        "name": job_type.name,
        "description": job_type.description,
        "inputSchema": input_schema(job_type),
        "limits": {
            "attempts": job_type.attempts,
            "backoffSeconds": job_type.backoff_seconds,
            "timeLimitSeconds": job_type.time_limit,
            "light": job_type.light,
        },
    }


def _unlisted(error: msgspec.ValidationError) -> Fault:
    """Return the fault that msgspec sees and the schema cannot express."""
    return Fault((), "invalid_value", f"Send an input that the schema allows: {str(error)[:80]}")
