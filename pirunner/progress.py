"""A line at the foot of a terminal that is written again and again, with what is told above it."""

from typing import Protocol

from pirunner.tables import cut

CLEAR = "\r\x1b[K"
CELLS = 24


class Output(Protocol):
    """Where to write; Django's wrapper of a stream fits."""

    def write(self, msg: str = "", style_func: None = None, ending: str | None = None) -> None:
        """Write a text with an ending."""

    def flush(self) -> None:
        """Show what was written."""


def bar(percent: int, cells: int = CELLS) -> str:
    """Return a bar of so many cells, filled as far as it is."""
    full = max(0, min(cells, round(cells * percent / 100)))
    return f"[{'#' * full}{'-' * (cells - full)}]"


class FootLine:
    """The line; where there is no terminal it is told only when it changed, each time on a line of its own."""

    def __init__(self, output: Output, width: int | None, *, live: bool) -> None:
        self._output = output
        self._width = width or 80
        self._live = live
        self._shown = ""

    def show(self, text: str) -> None:
        """Let the line read so."""
        if text == self._shown:
            return
        self._shown = text
        if self._live:
            self._write(f"{CLEAR}{cut(text, self._width - 1)}", "")
        else:
            self._write(text, "\n")

    def above(self, line: str) -> None:
        """Tell something for good, above the line."""
        if not self._live:
            self._write(line, "\n")
            return
        self._write(f"{CLEAR}{line}", "\n")
        self._write(cut(self._shown, self._width - 1), "")

    def close(self) -> None:
        """Take the line away."""
        if self._live and self._shown:
            self._write(CLEAR, "")
        self._shown = ""

    def _write(self, text: str, ending: str) -> None:
        self._output.write(text, ending=ending)
        self._output.flush()
