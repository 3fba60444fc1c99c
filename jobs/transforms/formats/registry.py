"""The formats there are: how each is recognised, read and written."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jobs.transforms.applying import checked_size
from jobs.transforms.faults import TransformFault
from jobs.transforms.formats.delimited import read_delimited, write_delimited
from jobs.transforms.formats.documents import (
    read_json,
    read_lines_of_json,
    read_yaml,
    write_json,
    write_lines_of_json,
    write_yaml,
)
from jobs.transforms.formats.tables import read_html, read_markdown, write_html, write_markdown
from jobs.transforms.values import Row, read_path

Format = Literal["csv", "tsv", "json", "ndjson", "yaml", "markdown", "html"]

MOST_TEXT = 8 * 1024 * 1024
"""Characters of data that are read."""
_MOST_WRITTEN_YAML = 20_000
_RULE_OF_TABLE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*\|", re.MULTILINE)
_MEDIA_TYPES: Mapping[str, Format] = {
    "text/csv": "csv",
    "text/tab-separated-values": "tsv",
    "application/json": "json",
    "application/x-ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/yaml": "yaml",
    "application/x-yaml": "yaml",
    "text/yaml": "yaml",
    "text/markdown": "markdown",
    "text/html": "html",
}
_ENDINGS: Mapping[str, Format] = {
    "csv": "csv", "tsv": "tsv", "json": "json", "ndjson": "ndjson", "jsonl": "ndjson", "yaml": "yaml", "yml": "yaml",
    "md": "markdown", "html": "html", "htm": "html",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """Rows as a file: its bytes, how it ends, its media type, and what its reader should know."""

    content: bytes
    ending: str
    media_type: str
    notes: tuple[str, ...] = ()


def find_format(text: str, *, media_type: str = "", name: str = "") -> Format:
    """Return the format of data by its media type, its file's name, or how it looks."""
    declared = _MEDIA_TYPES.get(media_type.partition(";")[0].strip().lower())
    return declared or _ENDINGS.get(name.rpartition(".")[2].lower()) or _looks_like(text)


def read_rows(text: str, form: Format, *, table: int = 1, rows_at: str = "") -> list[Row]:
    """Return the rows of data; raises ``TransformFault``.

    ``table`` is the number of the table in Markdown or HTML, ``rows_at`` a dotted path to the rows in JSON or YAML.
    """
    if len(text) > MOST_TEXT:
        raise TransformFault(f"The data has {len(text):,} characters; {MOST_TEXT:,} are read.")
    match form:
        case "csv" | "tsv":
            return read_delimited(text, "\t" if form == "tsv" else None)
        case "markdown" | "html":
            return (read_markdown if form == "markdown" else read_html)(text, table)
    readers: Mapping[str, Callable[[str], Any]] = {"json": read_json, "ndjson": read_lines_of_json, "yaml": read_yaml}
    return checked_size(rows_of(readers[form](text), rows_at))


def rows_of(value: Any, rows_at: str = "") -> list[Row]:
    """Return a JSON value as rows: an array of objects as it is, one object as one row, other values as ``value``."""
    if rows_at:
        found = read_path(value, rows_at) if isinstance(value, dict) else None
        if found is None:
            raise TransformFault(f"There is nothing at {rows_at[:80]!r} in the data.", ("rowsAt",))
        value = found
    values = value if isinstance(value, list) else [value]
    return [each if isinstance(each, dict) else {"value": each} for each in values]


def write_rows(rows: Sequence[Row], form: Format, *, escape_formulas: bool = False) -> Written:
    """Return rows in a format."""
    match form:
        case "csv" | "tsv":
            content, formulas = write_delimited(rows, "," if form == "csv" else "\t", escape_formulas=escape_formulas)
            media_type = "text/csv" if form == "csv" else "text/tab-separated-values"
            return Written(content, form, media_type, _about_formulas(formulas, escape_formulas))
        case "yaml" if len(rows) > _MOST_WRITTEN_YAML:
            raise TransformFault(f"YAML is written for up to {_MOST_WRITTEN_YAML:,} rows; take ndjson.", ("output",))
    writers: Mapping[str, tuple[Callable[[Sequence[Row]], bytes], str, str]] = {
        "json": (write_json, "json", "application/json"),
        "ndjson": (write_lines_of_json, "ndjson", "application/x-ndjson"),
        "yaml": (write_yaml, "yaml", "application/yaml"),
        "markdown": (write_markdown, "md", "text/markdown"),
        "html": (write_html, "html", "text/html"),
    }
    write, ending, media_type = writers[form]
    return Written(write(rows), ending, media_type)


def _about_formulas(count: int, escaped: bool) -> tuple[str, ...]:
    if not count:
        return ()
    cells = "1 cell begins" if count == 1 else f"{count:,} cells begin"
    if escaped:
        return (f"{cells} like a formula of a spreadsheet and got a ' before it.",)
    return (f"{cells} like a formula: spreadsheets may run it. escapeFormulas puts a ' before it.",)


def _looks_like(text: str) -> Format:
    start = text.lstrip()[:4096]
    if start.startswith(("[", "{")):
        first, _, rest = start.partition("\n")
        whole_line = first.rstrip().endswith(("}", "]")) and rest.lstrip().startswith(("[", "{"))
        return "ndjson" if whole_line and not first.startswith("[\n") else "json"
    if start.startswith("<"):
        return "html"
    if _RULE_OF_TABLE.search(text[:65_536]):
        return "markdown"
    if start.startswith("---"):
        return "yaml"
    return "tsv" if "\t" in start.partition("\n")[0] else "csv"
