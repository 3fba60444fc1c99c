"""Tables for a terminal: columns as wide as their contents, as long as there is room.

    lines_of_table([Column("id", right=True), Column("summary", shrinks=True)], rows, width=80)

Widths are counted in the terminal's cells: an emoji takes two. Imports nothing of ours.
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GAP = "  "
LEAST = 8
"""Cells below which no column is cut."""
NOTHING = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its title, whether numbers stand in it, and whether it may be cut where the terminal is narrow.

    ``paint`` colours a cell that has its width already.
    """

    title: str
    right: bool = False
    shrinks: bool = False
    paint: Callable[[str], str] | None = None


def lines_of_table(columns: Sequence[Column], rows: Sequence[Sequence[Any]], *, width: int | None = None) -> list[str]:
    """Return the lines, the titles first; ``width`` is the terminal's, None where nothing has to be cut."""
    cells = [[printable(value) for value in row] for row in rows]
    widths = _widths(columns, cells, width)
    lines = [_line([column.title for column in columns], columns, widths, painted=False)]
    return lines + [_line(row, columns, widths, painted=True) for row in cells]


def lines_of_fields(fields: Mapping[str, Any]) -> list[str]:
    """Return name and value of each field, the values below each other."""
    widest = max(map(len, fields), default=0)
    return [f"{name:<{widest}}{GAP}{printable(value)}" for name, value in fields.items()]


def printable(value: Any) -> str:
    """Return a value as harmless text: what jobs and receivers say may hold anything, and a terminal obeys it."""
    text = NOTHING if value is None or value == "" else str(value)
    return "".join(character if character.isprintable() else " " for character in text)


def cells_of(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return sum(_cells(character) for character in text)


def cut(text: str, width: int) -> str:
    """Return the text, or its beginning with an ellipsis, in at most so many cells."""
    if cells_of(text) <= width:
        return text
    kept, room = "", width - 1
    for character in text:
        room -= _cells(character)
        if room < 0:
            break
        kept += character
    return f"{kept}…"


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], width: int | None) -> list[int]:
    """Return the width of each column; of those that shrink the widest give way first."""
    widths = [
        max(cells_of(text) for text in (column.title, *(row[place] for row in cells)))
        for place, column in enumerate(columns)
    ]
    if width is None:
        return widths
    too_much = sum(widths) + len(GAP) * (len(widths) - 1) - width
    shrinking = [place for place, column in enumerate(columns) if column.shrinks]
    while too_much > 0 and shrinking:
        widest = max(shrinking, key=widths.__getitem__)
        if widths[widest] <= LEAST:
            break
        widths[widest] -= 1
        too_much -= 1
    return widths


def _line(row: Sequence[str], columns: Sequence[Column], widths: Sequence[int], *, painted: bool) -> str:
    shown = []
    for text, column, width in zip(row, columns, widths, strict=True):
        fitting = cut(text, width)
        padding = " " * (width - cells_of(fitting))
        coloured = column.paint(fitting) if painted and column.paint else fitting
        shown.append(f"{padding}{coloured}" if column.right else f"{coloured}{padding}")
    return GAP.join(shown).rstrip()
