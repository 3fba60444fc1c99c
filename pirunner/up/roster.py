"""`<RUNNER_DATA_DIR>/run/processes.json`: the names and process ids of what runs, for people and tests.

A part that runs alone has a file of its own, such as `processes-worker.json`.
"""

import json
import os
from pathlib import Path


class Roster:
    """Keeps the file in step with the supervisor."""

    def __init__(self, folder: Path, *, part: str = "") -> None:
        self._path = folder / (f"processes-{part}.json" if part else "processes.json")

    def write(self, processes: dict[str, int]) -> None:
        """Replace the file, so that a reader sees the old one or the new one and nothing between."""
        temporary = self._path.with_suffix(".new")
        text = json.dumps({"up": os.getpid(), **processes}, indent=2)
        try:
            temporary.write_text(f"{text}\n", encoding="utf-8")
            temporary.replace(self._path)
        except OSError:
            # A full disk must not end the supervisor; the list is a courtesy.
            temporary.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the file, because nothing runs any more."""
        self._path.unlink(missing_ok=True)
