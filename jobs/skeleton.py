"""What ``manage.py startjob`` writes: a job type that does something, and its test. Pure functions of the name."""

import keyword
import re
from string import Template

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
LONGEST = 50


def fault_of(name: str) -> str:
    """Return why a text cannot be the name of a new job type, "" if it can."""
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        return f"A job type is named in lower case, with hyphens between words, like word-count; not {name[:80]!r}."
    if keyword.iskeyword(module_of(name)):
        return f"{name!r} is a word of Python; take another name."
    return ""


def module_of(name: str) -> str:
    """Return the name of the module of a job type."""
    return name.replace("-", "_")


def handler_of(name: str) -> str:
    """Return the text of ``jobs/handlers/<module>.py``."""
    return _filled(HANDLER, name)


def test_of(name: str) -> str:
    """Return the text of ``tests/jobs/test_handlers_<module>.py``."""
    return _filled(TEST, name)


def _filled(text: str, name: str) -> str:
    camel = "".join(part.capitalize() for part in name.split("-"))
    return Template(text).substitute(name=name, module=module_of(name), camel=camel)


HANDLER = '''\
"""``$name``: says in one line what this job type does."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobCancelled


class ${camel}Input(msgspec.Struct, frozen=True, rename="camel"):
    """What a client sends; each field is described, limited, and has an example."""

    lines: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=1000)]],
        Meta(min_length=1, max_length=1000, description="What to do, a line at a time.", examples=[["one", "two"]]),
    ]


def run(ctx: Context, job_input: ${camel}Input) -> dict[str, Any]:
    """Do one line after the other; what an earlier attempt has done is not done again."""
    done = ctx.checkpoints()
    results = []
    for number, line in enumerate(job_input.lines):
        if ctx.cancelled():
            raise JobCancelled
        ctx.progress(100 * number / len(job_input.lines), f"{number} of {len(job_input.lines)} lines")
        key = f"line {number}"
        result = done[key] if key in done else _do(line)
        ctx.checkpoint(key, result)
        results.append(result)
    artifact = ctx.artifact("$name.md", "".join(f"- {result}\\n" for result in results))
    return {"summary": f"Did {len(results)} lines", "results": results, "artifactPath": artifact.path}


def _do(line: str) -> str:
    if not line.strip():
        raise DoNotRetry("A line is blank; trying again would not help.")
    return line.upper()


JOB_TYPE = JobType(
    name="$name",
    description="Says in one sentence what it does, as clients read it.",
    input_model=${camel}Input,
    run=run,
    time_limit=300,
)
'''

TEST = '''\
"""The job type ``$name``."""

from pathlib import Path

import pytest

from jobs import catalog
from jobs.errors import DoNotRetry, JobCancelled
from jobs.handlers import $module
from tests.jobs.tiny_context import TinyContext


def test_it_does_every_line(tmp_path: Path) -> None:
    job_input, faults = catalog.validate_input($module.JOB_TYPE, {"lines": ["one", "two"]})
    assert faults == []

    result = $module.run(TinyContext(tmp_path), job_input)

    assert result["results"] == ["ONE", "TWO"]
    assert Path(result["artifactPath"]).read_text() == "- ONE\\n- TWO\\n"


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    context = TinyContext(tmp_path)
    context.checkpoint("line 0", "done before")

    assert $module.run(context, $module.${camel}Input(["one"]))["results"] == ["done before"]


def test_it_stops_between_two_lines(tmp_path: Path) -> None:
    context = TinyContext(tmp_path)
    context.is_cancelled = True

    with pytest.raises(JobCancelled):
        $module.run(context, $module.${camel}Input(["one"]))


def test_a_blank_line_fails_for_good(tmp_path: Path) -> None:
    with pytest.raises(DoNotRetry, match="blank"):
        $module.run(TinyContext(tmp_path), $module.${camel}Input([" "]))


def test_no_line_at_all_is_a_fault() -> None:
    _, faults = catalog.validate_input($module.JOB_TYPE, {"lines": []})

    assert [(fault.path, fault.code) for fault in faults] == [(("lines",), "too_small")]
'''
