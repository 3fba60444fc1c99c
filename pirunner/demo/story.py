"""How the demo tells what happens: numbered steps, each with the time it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_WIDTH = 72


class Story:
    """Prints steps and their details to standard output."""

    def __init__(self) -> None:
        self._steps = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print a step, and behind it the seconds that the block took."""
        self._steps += 1
        started = time.monotonic()
        print(f"{self._steps:2}  {title:<{_WIDTH}}", end=" ", flush=True)
        try:
            yield
        except BaseException:
            print("failed", flush=True)
            raise
        print(f"{time.monotonic() - started:5.2f} s", flush=True)

    def tell(self, text: str) -> None:
        """Print details below the step, indented."""
        for line in text.splitlines():
            print(f"      {line}", flush=True)
