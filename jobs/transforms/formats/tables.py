"""Tables of Markdown and HTML: text in, rows out, and back, as harmless text."""

import html
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from jobs.pages.visible import is_too_deep
from jobs.plain_text import markdown_text
from jobs.transforms.applying import MOST_CELLS, columns_of
from jobs.transforms.faults import TransformFault
from jobs.transforms.formats.delimited import unique_names
from jobs.transforms.values import Row, as_number, as_text

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_RULE = re.compile(r"\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*")
_CELL_END = re.compile(r"(?<!\\)\|")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BREAK = re.compile(r"\s*<br\s*/?>\s*", re.IGNORECASE)
_WIDEST = 100


def read_markdown(text: str, number: int) -> list[Row]:
    """Return the rows of the table of that number, from 1; marks within its cells stay."""
    tables = list(_markdown_tables(text.splitlines()))
    if len(tables) < number:
        raise TransformFault(f"The Markdown has {len(tables)} tables; there is no table {number}.", ("table",))
    return _rows(tables[number - 1])


def write_markdown(rows: Sequence[Row]) -> bytes:
    """Return rows as a table of Markdown; numbers stand to the right."""
    names = columns_of(rows)
    if not names:
        return b"\n"
    right = [all(as_number(row.get(name)) is not None for row in rows) for name in names]
    lines = [_markdown_line(names), _markdown_rule(right)]
    lines += [_markdown_line([as_text(row.get(name)) for name in names]) for row in rows]
    return ("\n".join(lines) + "\n").encode(errors="replace")


def read_html(text: str, number: int) -> list[Row]:
    """Return the rows of the table of that number, from 1, of those without a table inside."""
    # 3 MB that only this format needs.
    from selectolax.lexbor import LexborHTMLParser  # noqa: PLC0415

    if is_too_deep(text):
        raise TransformFault("The HTML nests its elements too deeply.")
    tables = [table for table in LexborHTMLParser(text).css("table") if not table.css("table table")]
    if len(tables) < number:
        raise TransformFault(f"The HTML has {len(tables)} tables; there is no table {number}.", ("table",))
    return _rows([_html_cells(line) for line in tables[number - 1].css("tr")])


def write_html(rows: Sequence[Row]) -> bytes:
    """Return rows as a page with one table; every value is text in it, whatever it holds."""
    names = columns_of(rows)
    head = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in names)
    body = "\n".join(f"<tr>{''.join(_html_cell(row.get(name)) for name in names)}</tr>" for row in rows)
    page = (
        '<!doctype html>\n<html>\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Table</title></head>\n<body>\n'
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>\n</body>\n</html>\n"
    )
    return page.encode(errors="replace")


def _rows(lines: Sequence[Sequence[str]]) -> list[Row]:
    filled = [line for line in lines if line]
    if not filled:
        return []
    width = max(map(len, filled))
    if len(filled) * width > MOST_CELLS:
        raise TransformFault(f"There are more than {MOST_CELLS:,} values.")
    names = unique_names([*filled[0], *[""] * (width - len(filled[0]))])
    return [dict(zip(names, [*line, *[""] * (width - len(line))], strict=True)) for line in filled[1:]]


def _markdown_tables(lines: Sequence[str]) -> Iterator[list[list[str]]]:
    number = 0
    while number + 1 < len(lines):
        if "|" in lines[number] and "-" in lines[number + 1] and _RULE.fullmatch(lines[number + 1][:5000]):
            table = [_markdown_cells(lines[number])]
            number += 2
            while number < len(lines) and "|" in lines[number]:
                table.append(_markdown_cells(lines[number]))
                number += 1
            yield table
        else:
            number += 1


def _markdown_cells(line: str) -> list[str]:
    inner = line.strip().removeprefix("|")
    cells = _CELL_END.split(inner)
    if len(cells) > 1 and not cells[-1].strip():
        cells.pop()
    return [html.unescape(_BREAK.sub("\n", _ESCAPED.sub(r"\1", cell.strip()))) for cell in cells]


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(map(_markdown_cell, cells))} |"


def _markdown_cell(text: str) -> str:
    lines = [markdown_text(" ".join(line.split())) for line in text.splitlines()]
    return "<br>".join(lines)


def _markdown_rule(right: Sequence[bool]) -> str:
    return f"| {' | '.join('---:' if each else '---' for each in right)} |"


def _html_cell(value: object) -> str:
    return f'<td dir="auto">{html.escape(as_text(value))}</td>'


def _html_cells(line: "LexborNode") -> list[str]:
    cells: list[str] = []
    for cell in line.css("td, th"):
        text = " ".join(cell.text(separator=" ").split())
        span = cell.attributes.get("colspan") or "1"
        cells += [text] * (min(int(span[:3]), _WIDEST) if span.isascii() and span.isdigit() and int(span[:3]) else 1)
    return cells
