"""Server-sent events as a client reads them."""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple


class Message(NamedTuple):
    """One event of a stream: its name, its id, and what its JSON says."""

    name: str
    id: str
    content: Any


def messages(text: str) -> list[Message]:
    """Return the whole events of a text, comments left out."""
    return [_message(block) for block in text.split("\n\n")[:-1] if not block.startswith(":")]


def names(found: Iterable[Message]) -> list[str]:
    """Return the names of events."""
    return [message.name for message in found]


def _message(block: str) -> Message:
    fields = dict(line.split(": ", 1) for line in block.splitlines())
    return Message(fields["event"], fields["id"], json.loads(fields["data"]))
