"""Regular expressions from clients: bounded in length and, since they can be made to take for ever, in time.

Python's own ``re`` cannot be stopped; ``regex`` reads the same language and looks at the clock while it searches.
"""

import time
from typing import Any

import regex

LONGEST = 200
"""Characters of a pattern."""
_PER_TEXT = 0.25
_IN_ALL = 20.0


class BadPattern(Exception):
    """The pattern is none; the sentence says what is wrong with it."""


class SlowPattern(Exception):
    """The pattern takes too long on this text; a simpler one would not."""


class SafePattern:
    """A compiled pattern with a budget: a quarter of a second for each text, 20 seconds for all of them."""

    def __init__(self, pattern: str) -> None:
        """Compile a pattern; raises ``BadPattern``."""
        if len(pattern) > LONGEST:
            raise BadPattern(f"It is longer than {LONGEST} characters.")
        try:
            self._compiled: Any = regex.compile(pattern)
        except (regex.error, OverflowError, RecursionError, MemoryError) as error:
            raise BadPattern(f"It is no regular expression: {str(error)[:100]}.") from None
        self.pattern = pattern
        self._left = _IN_ALL

    def occurs_in(self, text: str) -> bool:
        """Return whether the pattern is found in a text; raises ``SlowPattern``."""
        return self._timed(self._compiled.search, text) is not None

    def cut_from(self, text: str) -> str:
        """Return a text without what the pattern matches; raises ``SlowPattern``."""
        return str(self._timed(lambda whole, timeout: self._compiled.sub("", whole, timeout=timeout), text))

    def _timed(self, work: Any, text: str) -> Any:
        begun = time.perf_counter()
        try:
            return work(text, timeout=min(_PER_TEXT, max(0.001, self._left)))
        except (TimeoutError, MemoryError, RecursionError):
            raise SlowPattern(
                f"The pattern {self.pattern!r} takes too long; write it without nested repeats."
            ) from None
        finally:
            self._left -= time.perf_counter() - begun
