"""Log lines: for people or, with ``LOG_FORMAT=json``, for programs; and what they are about, whoever writes them.

    with bound(job_id=41, run=3):
        log.warning("The feed is empty.")     # WARNING jobs.feeds: The feed is empty. [job_id=41 run=3]

What is bound holds for the thread that bound it.
"""

import importlib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pirunner import env

_context: ContextVar[Mapping[str, Any] | None] = ContextVar("what log lines are about", default=None)


@contextmanager
def bound(**fields: Any) -> Iterator[None]:
    """Put these fields into every log line of this thread, for the length of the block."""
    token = _context.set({**about(), **fields})
    try:
        yield
    finally:
        _context.reset(token)


def is_json() -> bool:
    """Return whether log lines are for programs."""
    return env.choice("LOG_FORMAT", "HUMAN", "JSON") == "JSON"


def formatter() -> logging.Formatter:
    """Return the formatter that the owner chose; Django's settings name this function."""
    if not is_json():
        return HumanFormatter("%(levelname)s %(name)s: %(message)s")
    # By name: structlog takes 2 MB and more, which those who read human lines need not pay.
    made: logging.Formatter = importlib.import_module("pirunner.logs_json").json_formatter()
    return made


def about() -> Mapping[str, Any]:
    """Return what the log lines of this thread are about."""
    return _context.get() or {}


class HumanFormatter(logging.Formatter):
    """One line, and in brackets what it is about; a traceback follows below."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        """Return the line without a traceback."""
        line = super().formatMessage(record)
        fields = " ".join(f"{name}={value}" for name, value in about().items())
        return f"{line} [{fields}]" if fields else line
