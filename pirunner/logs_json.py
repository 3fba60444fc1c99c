"""Log lines as JSON, one object each: structlog as the formatter of what Python's own logging is told."""

import json
import logging
from typing import Any

from structlog import processors, stdlib

from pirunner.logs import about


def json_formatter() -> logging.Formatter:
    """Return the formatter. A traceback is one text, without the values of variables: secrets may be among them."""
    return stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            _add_context,
            stdlib.add_log_level,
            stdlib.add_logger_name,
            processors.TimeStamper(fmt="iso", utc=True, key="time"),
        ],
        processors=[
            stdlib.ProcessorFormatter.remove_processors_meta,
            processors.format_exc_info,
            processors.StackInfoRenderer(),
            processors.EventRenamer("message"),
            processors.JSONRenderer(serializer=json.dumps, default=str),
        ],
    )


def _add_context(logger: Any, name: str, event: Any) -> Any:
    """Add what the line is about."""
    del logger, name
    return {**about(), **event}
