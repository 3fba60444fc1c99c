"""A table as text."""

from collections.abc import Sequence

Cell = str | float | int | None


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], *notes: str) -> None:
    """Print a table: the first column to the left, the others to the right, notes below."""
    lines = [list(head), *[[_text(cell) for cell in row] for row in rows]]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    print(f"\n{title}\n{'-' * len(title)}")
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        print("   ".join([line[0].ljust(widths[0]), *cells]).rstrip())
    for note in notes:
        print(f"  {note}")
    print(end="", flush=True)


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return "-"
        case str():
            return cell
        case int():
            return f"{cell:,}"
    return f"{cell:,.0f}" if abs(cell) >= 100 else f"{cell:.1f}" if abs(cell) >= 10 else f"{cell:.2f}"
