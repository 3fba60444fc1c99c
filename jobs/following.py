"""Following a job: pages of its log, and its stream of server-sent events (WHATWG HTML, section 9.2).

The stream's ids are ``<event number>.<log number>``, so that one id resumes both. Without an id a stream begins now;
``0.0`` asks for everything that is kept.
"""

import heapq
import json
import logging
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple

from django.db import Error

from jobs.apps import LOG
from jobs.models import LogLine
from jobs.payloads import PROGRESS
from jobs.selectors import get_job, lines_of_job, newest_line_of_job, state_of_job
from jobs.serializers import read_job, read_line
from jobs.states import FINAL_STATES, State
from pirunner.errors import Fault, InvalidPayload
from webhooks.models import Event
from webhooks.selectors import events_of_job, newest_event_of_job
from webhooks.watcher import EVENTS, watcher

log = logging.getLogger(__name__)

KEEP_ALIVE_SECONDS = 15.0
KEEP_ALIVE = b": keep-alive\n\n"
BATCH = 200
_ID = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of a log in order, the cursor after which the next page begins, and whether the job has ended."""

    lines: list[LogLine]
    next: int
    ended: bool

    def is_news(self) -> bool:
        """Return whether a client that waits should be told."""
        return bool(self.lines) or self.ended


def page_of_log(job_id: str, *, after: int, limit: int, only: str | None = None) -> LogPage:
    """Return the lines of a job's log after a number, at most ``limit``; raises what ``get_job`` raises."""
    job = get_job(job_id, only=only)
    # Read after the state: when that is final, all lines are there.
    lines = lines_of_job(job.pk, after=after, limit=limit)
    return LogPage(lines, lines[-1].pk if lines else after, job.state in FINAL_STATES)


class Cursor(NamedTuple):
    """How far a client has read: the number of the last event, and of the last log line."""

    event: int
    line: int

    def __str__(self) -> str:
        return f"{self.event}.{self.line}"


def cursor_of(header: str | None, parameter: str | None) -> Cursor | None:
    """Return what a client says it has read, in the header if it can set one; None if it is new.

    Raises ``InvalidPayload`` for what is no id of this stream.
    """
    name, raw = ("Last-Event-ID", header) if header else ("lastEventId", parameter)
    if not raw:
        return None
    match = _ID.fullmatch(raw)
    if match is None:
        raise InvalidPayload([Fault((name,), "invalid_string", f"{name} is the id of an event of this stream.")])
    return Cursor(int(match[1]), int(match[2]))


@dataclass(frozen=True, slots=True)
class News:
    """What happened since a cursor, and where the job stands (None: it was removed)."""

    state: State | None
    events: list[Event]
    lines: list[LogLine]

    @property
    def is_all(self) -> bool:
        """Whether nothing was left for the next look."""
        return len(self.events) < BATCH and len(self.lines) < BATCH

    @property
    def ended(self) -> bool:
        """Whether nothing will follow."""
        return self.is_all and (self.state is None or self.state in FINAL_STATES)


def read_news(job_id: int, cursor: Cursor) -> News:
    """Return what happened to a job since a cursor."""
    # In this order: a final state means that all events are there, and an event that all lines before it are.
    state = state_of_job(job_id)
    events = events_of_job(job_id, after=cursor.event, limit=BATCH)
    return News(state, events, lines_of_job(job_id, after=cursor.line, limit=BATCH))


class JobStream:
    """The bytes of one stream, made as things happen. It holds a waiter's place until it is closed.

    Raises ``CannotWait`` when there is no place, ``NotFound`` when there is no job.
    """

    def __init__(self, job_id: int, cursor: Cursor | None) -> None:
        self._job_id = job_id
        self._waiter = watcher.enter(job_id, EVENTS, LOG)
        try:
            self._cursor, self._state = watcher.look(partial(self._begin, cursor))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give up the place; whoever serves the stream calls it when the client has gone, too."""
        watcher.leave(self._waiter)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._messages()
        except Error as error:
            log.warning("The stream of job %s ends early, its client will resume it: %s", self._job_id, error)
        finally:
            self.close()

    def _begin(self, cursor: Cursor | None) -> tuple[Cursor, bytes]:
        # The cursor before the job: what happens between the two is told twice rather than not at all.
        if cursor is None:
            cursor = Cursor(newest_event_of_job(self._job_id), newest_line_of_job(self._job_id))
        return cursor, _json(read_job(get_job(str(self._job_id))))

    def _messages(self) -> Iterator[bytes]:
        yield self._message("state", self._state)
        self._state = b""  # it may be large, and the stream may last for hours
        silent_since = time.monotonic()
        while not watcher.stopped:
            news = watcher.look(partial(read_news, self._job_id, self._cursor))
            if told := self._tell(news):
                yield told
                silent_since = time.monotonic()
            if news.ended:
                yield self._message("end", _json({"id": str(self._job_id), "state": news.state}))
                return
            if not news.is_all:
                continue
            self._waiter.wait(silent_since + KEEP_ALIVE_SECONDS - time.monotonic())
            if time.monotonic() >= silent_since + KEEP_ALIVE_SECONDS:
                yield KEEP_ALIVE
                silent_since = time.monotonic()

    def _tell(self, news: News) -> bytes:
        sorts: tuple[list[Event | LogLine], ...] = ([*news.events], [*news.lines])
        return b"".join(self._message_of(item) for item in heapq.merge(*sorts, key=attrgetter("at")))

    def _message_of(self, item: Event | LogLine) -> bytes:
        if isinstance(item, LogLine):
            self._cursor = self._cursor._replace(line=item.pk)
            return self._message("log", _json(read_line(item)))
        self._cursor = self._cursor._replace(event=item.seq)
        return self._message("progress" if item.kind == PROGRESS else item.kind, item.payload.encode())

    def _message(self, name: str, content: bytes) -> bytes:
        """Return an event of the stream; JSON has no line breaks of its own."""
        return b"event: %s\nid: %s\ndata: %s\n\n" % (name.encode(), str(self._cursor).encode(), content)


def _json(value: Any) -> bytes:
    # In ASCII, because a handler's result may hold a lone surrogate: JSON can say it, UTF-8 cannot.
    return json.dumps(value, separators=(",", ":")).encode("ascii")
