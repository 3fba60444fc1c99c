"""The allowlist: the job types there are, which of them may run, and what each takes.

A job type exists only if it stands in ``JOB_TYPES`` or an installed package registers it. It runs only if
``RUNNER_JOBS`` names it, or is empty and the type is built in.
Nothing that a client sends becomes a command, a module or a path.
"""

from functools import cache
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from jobs.contract import JobType
from jobs.handlers import (
    daily_crypto_brief,
    digest,
    index,
    pdf_batch,
    ping,
    reminder,
    scrape,
    search,
    summarize,
    transform,
    web_monitor,
)
from jobs.plugins import plugins
from jobs.validation import faults_of, prepare
from pirunner.errors import Fault

JOB_TYPES = (
    ping.JOB_TYPE,
    reminder.JOB_TYPE,
    daily_crypto_brief.JOB_TYPE,
    web_monitor.JOB_TYPE,
    digest.JOB_TYPE,
    scrape.JOB_TYPE,
    summarize.JOB_TYPE,
    index.JOB_TYPE,
    search.JOB_TYPE,
    transform.JOB_TYPE,
    pdf_batch.JOB_TYPE,
)

BUILT_IN = "built-in"
"""In ``RUNNER_JOBS`` it stands for all of ``JOB_TYPES``, so that the others can be named beside them."""


def registered() -> dict[str, JobType]:
    """Return every job type by name: those of other installed packages, and those built in, which go first."""
    external = {plugin.name: plugin.job_type for plugin in plugins() if plugin.job_type}
    return external | _built_in()


def unknown_names() -> list[str]:
    """Return the names in ``RUNNER_JOBS`` that nothing has; a package that cannot be loaded still has its names."""
    known = {BUILT_IN, *registered(), *(plugin.name for plugin in plugins())}
    return [name for name in settings.RUNNER_JOBS if name not in known]


def allowed() -> dict[str, JobType]:
    """Return the job types that may run, by name: those that ``RUNNER_JOBS`` names, else all built in.

    Raises ``ImproperlyConfigured`` for unknown names.
    """
    if unknown := unknown_names():
        raise ImproperlyConfigured(f"RUNNER_JOBS names job types that do not exist: {', '.join(unknown)}.")
    names = set(settings.RUNNER_JOBS or {BUILT_IN})
    if BUILT_IN in names:
        names |= _built_in().keys()
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
        job_input = msgspec.convert(prepared, job_type.input_model)
    except msgspec.ValidationError as error:
        return None, faults_of(input_schema(job_type), prepared) or [_unlisted(error)]
    faults = job_type.check(job_input) if job_type.check else []
    return (None, faults) if faults else (job_input, [])


def job_types_document() -> list[dict[str, Any]]:
    """Return the job types that may run as ``GET /job-types`` lists them."""
    return [_describe(job_type) for job_type in allowed().values()]


@cache
def input_schema(job_type: JobType) -> dict[str, Any]:
    """Return the JSON Schema of a job type's input, complete in itself. It is shared: do not change it."""
    schema = msgspec.json.schema(job_type.input_model)
    if "$ref" not in schema:
        return schema
    # msgspec puts every model below $defs and points to it; each in its place is easier to read.
    definitions = schema["$defs"]
    try:
        inlined: dict[str, Any] = _inlined({"$ref": schema["$ref"]}, definitions)
    except RecursionError:
        return {**definitions[schema["$ref"].removeprefix("#/$defs/")], "$defs": definitions}
    return inlined


def _built_in() -> dict[str, JobType]:
    return {job_type.name: job_type for job_type in JOB_TYPES}


def _inlined(node: Any, definitions: dict[str, Any], within: tuple[str, ...] = ()) -> Any:
    """Return a schema with every ``$ref`` replaced by what it leads to; raises ``RecursionError`` for a circle."""
    if isinstance(node, list):
        return [_inlined(part, definitions, within) for part in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {name: _inlined(part, definitions, within) for name, part in node.items()}
    name = node["$ref"].removeprefix("#/$defs/")
    if name in within:
        raise RecursionError(name)
    more = {key: part for key, part in node.items() if key != "$ref"}
    return _inlined({**definitions[name], **more}, definitions, (*within, name))


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
