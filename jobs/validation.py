"""Every fault of a JSON value against a JSON Schema, in words that say what to send instead."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec

from jobs.contract import JobType
from jobs.fault_sentences import missing_sentence, rule_of
from pirunner.errors import Fault, Path

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

MAX_FAULTS = 100


def faults_of(schema: Mapping[str, Any], value: Any) -> list[Fault]:
    """Return the faults of a JSON value, at most 100, empty when it fits the schema.

    ``schema`` is JSON Schema 2020-12; its ``$ref`` may only point into itself. Codes are ``required``,
    ``invalid_type``, ``too_small``, ``too_big``, ``invalid_enum``, ``invalid_string`` and ``invalid_value``.
    """
    errors = _checker()(schema).iter_errors(value)
    faults = (fault for error in errors for leaf in _leaves(error) for fault in _faults(leaf))
    return list(islice(_unique(faults), MAX_FAULTS))


def convert(job_type: JobType, value: Any) -> Any:
    """Return an input as its handler takes it; raises ``msgspec.ValidationError`` at the first fault."""
    return msgspec.convert(prepare(job_type, value), job_type.input_model)


def prepare(job_type: JobType, value: Any) -> Any:
    """Return an input with what its type does for clients that are loose with types."""
    return job_type.prepare(value) if job_type.prepare else value


@cache
def _checker() -> Callable[[Mapping[str, Any]], "Validator"]:
    """Return jsonschema's checker, except that 5.0 is no whole number to it, as it is none to msgspec."""
    # 50 ms and 3 MB that a process without faulty payloads, such as a worker, never needs.
    from jsonschema import Draft202012Validator, validators  # noqa: PLC0415

    types = Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    )
    checker: Any = validators.extend(Draft202012Validator, type_checker=types)  # type: ignore[no-untyped-call]
    return partial(checker, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _unique(faults: Iterable[Fault]) -> Iterator[Fault]:
    seen: set[Fault] = set()
    for fault in faults:
        if fault not in seen:
            seen.add(fault)
            yield fault


def _leaves(error: "ValidationError") -> Iterator["ValidationError"]:
    """Yield the error, or for alternatives those of the one that was most likely meant."""
    meant = _likeliest_branch(error)
    if meant is None:
        yield error
        return
    for inner in meant:
        yield from _leaves(inner)


def _likeliest_branch(error: "ValidationError") -> list["ValidationError"] | None:
    """Return the errors of the alternative that comes nearest; None if none takes a value of that type.

    ``T | None`` is T and nothing else: who sends a wrong T did not mean null.
    """
    branches: dict[object, list[ValidationError]] = {}
    for inner in error.context or ():
        if inner.schema != {"type": "null"}:
            branches.setdefault(inner.relative_schema_path[0], []).append(inner)
    if len(branches) == 1:
        return next(iter(branches.values()))
    of_its_type = [errors for errors in branches.values() if not any(map(_is_of_other_type, errors))]
    if tag := _tag_of(error):
        of_its_type = [errors for errors in of_its_type if not any(_is_of_other_tag(inner, tag) for inner in errors)]
    return min(of_its_type, key=len, default=None)


def _tag_of(error: "ValidationError") -> str:
    """Return the name of the field that tells the alternatives apart, if one does."""
    schema: Any = error.schema
    return str(schema.get("discriminator", {}).get("propertyName", ""))


def _is_of_other_tag(error: "ValidationError", tag: str) -> bool:
    return error.validator in {"enum", "const"} and list(error.relative_path) == [tag]


def _is_of_other_type(error: "ValidationError") -> bool:
    return error.validator == "type" and not error.relative_path


def _faults(error: "ValidationError") -> Iterator[Fault]:
    path = tuple(error.absolute_path)
    if error.validator == "required":
        schema: Any = error.schema
        yield from _missing(schema, error.instance, path)
        return
    tag = _tag_of(error)
    if tag and isinstance(error.instance, dict):
        schema = error.schema
        code, sentence = rule_of("enum")
        yield Fault((*path, tag), code, sentence(list(schema["discriminator"]["mapping"]), error.instance.get(tag)))
        return
    code, sentence = rule_of(str(error.validator))
    yield Fault(path, code, sentence(error.validator_value, error.instance))


def _missing(schema: Mapping[str, Any], value: Any, path: Path) -> Iterator[Fault]:
    properties = schema.get("properties", {})
    for name in schema["required"]:
        if name not in value:
            yield Fault((*path, name), "required", missing_sentence(name, properties.get(name, {})))
