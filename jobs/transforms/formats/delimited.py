"""CSV and TSV (RFC 4180, and what spreadsheets make of it): text in, rows out, and back."""

import csv
import io
from collections.abc import Iterator, Sequence

from jobs.transforms.applying import MOST_CELLS, columns_of
from jobs.transforms.faults import TransformFault
from jobs.transforms.values import Row, as_number, as_text

SEPARATORS = ",;\t|"
_LONGEST_CELL = 1024 * 1024
_SNIFFED_LINES = 20
_MOST_COLUMNS = 1000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def read_delimited(text: str, separator: str | None = None) -> list[Row]:
    """Return the rows below the first line, which names the columns; ``separator`` is found out if it is not given.

    Every value is text. A column without a name gets one, of two with one name the second gets a number, and cells
    beyond the last column get columns of their own.
    """
    reader = csv.reader(_lines(text), delimiter=separator or find_separator(text))
    csv.field_size_limit(_LONGEST_CELL)
    rows: list[Row] = []
    cells = 0
    names: list[str] = []
    try:
        for record in reader:
            if not record:
                continue  # a blank line
            if not names:
                names = unique_names(record)
                continue
            if len(record) > len(names):
                names += unique_names([""] * (len(record) - len(names)), names)
            cells += len(names) + 1
            if cells > MOST_CELLS:
                raise TransformFault(f"There are more than {MOST_CELLS:,} values.")
            rows.append(dict(zip(names, record, strict=False)) | dict.fromkeys(names[len(record) :], ""))
    except csv.Error as error:
        raise TransformFault(f"Line {reader.line_num} cannot be read: {error}.") from None
    return rows


def write_delimited(rows: Sequence[Row], separator: str, *, escape_formulas: bool) -> tuple[bytes, int]:
    """Return rows as CSV with a first line of names, and how many cells a spreadsheet would take for formulas.

    With ``escape_formulas`` these begin with ``'``.
    """
    parts = _Parts()
    writer = csv.writer(parts, delimiter=separator, lineterminator="\r\n")
    names = columns_of(rows)
    formulas = 0
    for record in (list(names), *([as_text(row.get(name)) for name in names] for row in rows)):
        risky = [number for number, cell in enumerate(record) if is_formula(cell)]
        formulas += len(risky)
        if escape_formulas:
            for number in risky:
                record[number] = f"'{record[number]}"
        if names:
            writer.writerow(record)
    return "".join(parts.texts).encode(errors="replace"), formulas


def is_formula(cell: str) -> bool:
    """Return whether a spreadsheet would run a cell; numbers with a sign are none."""
    return cell.startswith(_FORMULA) and as_number(cell) is None


def find_separator(text: str) -> str:
    """Return the separator that the first lines agree on best: the same number on each, and not none."""
    lines = [
        line for _, line in zip(range(_SNIFFED_LINES), _unquoted_lines(text[:65_536]), strict=False) if line.strip()
    ]

    def agreement(separator: str) -> tuple[bool, float, int]:
        counts = [line.count(separator) for line in lines]
        first = counts[0] if counts else 0
        return first > 0, sum(count == first for count in counts) / max(1, len(counts)), first

    return max(SEPARATORS, key=agreement)


class _Parts:
    """What csv writes to; a StringIO would take four bytes for every character."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def write(self, text: str) -> None:
        self.texts.append(text)


def _lines(text: str) -> Iterator[str]:
    return iter(io.TextIOWrapper(io.BytesIO(text.encode(errors="replace")), encoding="utf-8", newline=""))


def _unquoted_lines(text: str) -> Iterator[str]:
    """Yield lines without what stands in quotation marks, where separators separate nothing."""
    outside = "".join(text.split('"')[::2])
    yield from outside.splitlines()


def unique_names(record: Sequence[str], before: Sequence[str] = ()) -> list[str]:
    """Return names for columns: a number where there is none, and one behind a name that is there already."""
    if len(before) + len(record) > _MOST_COLUMNS:
        raise TransformFault(f"There are more than {_MOST_COLUMNS} columns.")
    taken = set(before)
    names = []
    for number, cell in enumerate(record, len(before) + 1):
        wanted = cell.strip() or f"column {number}"
        name, again = wanted, 2
        while name in taken:
            name, again = f"{wanted} {again}", again + 1
        taken.add(name)
        names.append(name)
    return names
