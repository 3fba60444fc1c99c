"""``transform``: tables and lists from one format to another, with steps of a small declared language in between."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from jobs.artifact_fields import ArtifactId
from jobs.artifacts import safe_name
from jobs.charsets import decode_text
from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobCancelled
from jobs.transforms.applying import apply_step, check_step, checked_size, columns_of
from jobs.transforms.faults import TransformFault, place
from jobs.transforms.formats.documents import read_json
from jobs.transforms.formats.registry import MOST_TEXT, Format, find_format, read_rows, rows_of, write_rows
from jobs.transforms.naming import unknown_columns
from jobs.transforms.steps import AnyStep
from jobs.transforms.values import Row, as_text, inferred, to_json
from pirunner.errors import Fault
from pirunner.wording import counted

_PREVIEW_ROWS = 10
_PREVIEW_COLUMNS = 30
_PREVIEW_CELL = 200


class TransformInput(msgspec.Struct, frozen=True, rename="camel"):
    """What to read, what to do to it, and how to write it."""

    artifact_id: Annotated[
        ArtifactId | None, Meta(description="The data: a file of an earlier job, 8 MiB at most.")
    ] = None
    data: Annotated[
        Any,
        Meta(
            description="The data itself: text in the format, or rows as a JSON array. Numbers in text stay exact.",
            examples=["name,price\nNut,0.10\n", [{"name": "Nut", "price": 1}]],
        ),
    ] = None
    format: Annotated[
        Literal["auto", "csv", "tsv", "json", "ndjson", "yaml", "markdown", "html"],
        Meta(description="Of the data; auto goes by the file's type and name, then by how it looks."),
    ] = "auto"
    rows_at: Annotated[
        str, Meta(max_length=200, description="Dotted path to the rows within JSON or YAML.", examples=["result.items"])
    ] = ""
    table: Annotated[int, Meta(ge=1, le=1000, description="Which table of Markdown or HTML.")] = 1
    infer_types: Annotated[
        bool, Meta(description="Take cells of csv, tsv, markdown, html that are plain numbers or true, false as such.")
    ] = False
    steps: Annotated[
        tuple[AnyStep, ...],
        Meta(
            max_length=50,
            description="Done in order.",
            examples=[[{"op": "filter", "where": "price > 1"}, {"op": "sort", "by": ["-price"]}]],
        ),
    ] = ()
    output: Annotated[Format, Meta(description="What is written.")] = "json"
    escape_formulas: Annotated[
        bool, Meta(description="Put a ' before cells of csv and tsv that a spreadsheet would run as formulas.")
    ] = False
    name: Annotated[str, Meta(min_length=1, max_length=80, description="Of the file, without its ending.")] = "result"


def check(job_input: TransformInput) -> list[Fault]:
    """Return what the schema cannot say: one source, and expressions that make sense."""
    faults = []
    if (job_input.artifact_id is None) == (job_input.data is None):
        faults.append(Fault(("data",), "required", "Send either artifactId or data."))
    for number, step in enumerate(job_input.steps):
        try:
            check_step(step)
        except TransformFault as fault:
            faults.append(Fault(("steps", number, *fault.path), "invalid_expression", str(fault)))
    return faults


def run(ctx: Context, job_input: TransformInput) -> dict[str, Any]:
    """Read, transform, write. Raises ``DoNotRetry`` naming the step and the place of what cannot be done."""
    try:
        rows, form = _read(ctx, job_input)
        ctx.log(f"Read {counted(len(rows), 'row')} of {form}.")
        given = len(rows)
        rows, notes = _do_steps(ctx, job_input.steps, rows)
        written = write_rows(rows, job_input.output, escape_formulas=job_input.escape_formulas)
    except TransformFault as fault:
        where = f"{place(fault.path)}: " if fault.path else ""
        raise DoNotRetry(f"{where}{fault}") from None
    file = ctx.artifact(f"{safe_name(job_input.name)}.{written.ending}", written.content, written.media_type)
    notes += written.notes
    for note in notes:
        ctx.log(note, "warning")
    columns = columns_of(rows)
    return {
        "summary": f"{counted(len(rows), 'row')} with {counted(len(columns), 'column')} as {job_input.output}",
        "inputFormat": form,
        "inputRows": given,
        "rows": len(rows),
        "columns": columns[:1000],
        "preview": _preview(rows, columns),
        "notes": notes,
        "artifactPath": file.path,
    }


def _read(ctx: Context, job_input: TransformInput) -> tuple[list[Row], str]:
    text, media_type, name = _text_of(ctx, job_input)
    if text is None:
        # Through JSON text once, so that fractions are the decimals they were written as.
        value = read_json(to_json(job_input.data).decode())
        return checked_size(rows_of(value, job_input.rows_at)), "json"
    told = None if job_input.format == "auto" else job_input.format
    form = told or find_format(text, media_type=media_type, name=name)
    rows = read_rows(text, form, table=job_input.table, rows_at=job_input.rows_at)
    if job_input.infer_types and form in {"csv", "tsv", "markdown", "html"}:
        rows = [{column: inferred(cell) for column, cell in row.items()} for row in rows]
    return rows, form


def _text_of(ctx: Context, job_input: TransformInput) -> tuple[str | None, str, str]:
    """Return the text of the data, its media type and name; None for data that are rows already."""
    if job_input.artifact_id is not None:
        artifact = ctx.read_artifact(job_input.artifact_id, MOST_TEXT)
        return decode_text(artifact.content, artifact.media_type), artifact.media_type, artifact.name
    if isinstance(job_input.data, str):
        return job_input.data.removeprefix("\ufeff"), "", ""
    return None, "", ""


def _do_steps(ctx: Context, steps: Sequence[AnyStep], rows: list[Row]) -> tuple[list[Row], list[str]]:
    """Return the rows after all steps, and what was odd on the way."""
    notes = []
    for number, step in enumerate(steps):
        if ctx.cancelled():
            raise JobCancelled
        name = str(step.__struct_config__.tag)
        unknown = unknown_columns(step, rows)
        notes += [f"Step {number + 1} ({name}): no row has a column {column!r}." for column in unknown]
        try:
            rows = apply_step(step, rows)
        except TransformFault as fault:
            raise fault.below("steps", number) from None
        ctx.progress(10 + 80 * (number + 1) / len(steps), f"{name}: {counted(len(rows), 'row')}")
        ctx.log(f"{number + 1}. {name}: {counted(len(rows), 'row')}")
    return rows, notes


def _preview(rows: Sequence[Row], columns: Sequence[str]) -> list[dict[str, str]]:
    """Return the first rows as short texts, for whoever only wants to see whether it went well."""
    shown = columns[:_PREVIEW_COLUMNS]
    return [{name: as_text(row.get(name))[:_PREVIEW_CELL] for name in shown} for row in rows[:_PREVIEW_ROWS]]


JOB_TYPE = JobType(
    name="transform",
    description="Reads tables and lists as CSV, JSON, YAML, Markdown or HTML, changes them by steps, and writes them.",
    input_model=TransformInput,
    check=check,
    run=run,
    time_limit=300,
)
