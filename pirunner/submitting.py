"""From words on a command line to the body of a submission, as a client would send it."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.catalog import find, input_schema
from pirunner.errors import Fault, InvalidPayload
from pirunner.wording import read_span

STDIN = "-"


def body_of(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body that the options of ``manage.py submit`` ask for; raises ``InvalidPayload``."""
    job_type = options["type"]
    body = {
        "jobType": job_type,
        "input": input_of(job_type, options["pairs"], options["input"]),
        "priority": options["priority"],
        "callbackUrl": options["callback_url"],
        "scheduleBackend": options["backend"],
        "schedule": schedule_of(options),
    }
    return {name: value for name, value in body.items() if value is not None}


def schedule_of(options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the ``schedule`` of a submission, or None when nothing says a time; raises ``InvalidPayload``."""
    schedule = {
        "runAt": options["run_at"],
        "everySeconds": None if options["every"] is None else seconds_of(options["every"], "--every"),
        "cron": options["cron"],
        "tz": options["tz"],
    }
    return {name: value for name, value in schedule.items() if value is not None} or None


def seconds_of(text: str, option: str) -> float:
    """Return the seconds that an option names; raises ``InvalidPayload``."""
    try:
        seconds = read_span(text)
    except ValueError as error:
        raise InvalidPayload([Fault((option,), "invalid_value", str(error))]) from None
    return int(seconds) if seconds.is_integer() else seconds


def input_of(job_type: str, pairs: Sequence[str], given: str | None) -> Any:
    """Return the input: what ``--input`` gives, and the pairs in it; raises ``InvalidPayload``.

    ``key=value`` is text where the job type wants text, else JSON if it reads as such; ``key:=JSON`` is always JSON.
    """
    whole = {} if given is None else _json(_text(given), "--input")
    if not pairs:
        return whole
    if not isinstance(whole, dict):
        raise _fault("--input", "key=value needs an --input that is an object, or none.")
    return {**whole, **dict(_pair(pair, _texts_of(job_type)) for pair in pairs)}


def _pair(pair: str, texts: frozenset[str]) -> tuple[str, Any]:
    key, equals, value = pair.partition("=")
    if not equals or not key.strip(":"):
        raise _fault(pair[:40], "Write the input as key=value, or key:=JSON.")
    if key.endswith(":"):
        return key[:-1], _json(value, key[:-1])
    return key, value if key in texts else _json_or_text(value)


def _texts_of(job_type: str) -> frozenset[str]:
    """Return the fields of a job type's input that are text, whatever else they may be."""
    known = find(job_type)
    properties = input_schema(known).get("properties", {}) if known else {}
    return frozenset(name for name, schema in properties.items() if "string" in _types(schema))


def _types(schema: Any) -> set[str]:
    if not isinstance(schema, dict):
        return set()
    own = schema.get("type", [])
    nested = [_types(each) for each in schema.get("anyOf", [])]
    return set([own] if isinstance(own, str) else own).union(*nested)


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _text(given: str) -> str:
    if given == STDIN:
        return sys.stdin.read()
    if not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise _fault("--input", f"{given[1:]} cannot be read: {error}.") from None


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _fault(name, f"This is no JSON: {error}.") from None


def _fault(name: str, message: str) -> InvalidPayload:
    return InvalidPayload([Fault((name,), "invalid_value", message)])
