"""Finding a token by its text, so often that the database is asked only every few seconds.

A token that another process revokes is let in for ``FRESH_SECONDS`` more; one that this process changes, not at all.
When tokens were last used is written by a thread of its own, once a minute: no request waits for it.
"""

import logging
import os
import queue
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.apps import apps
from django.db import Error, connection
from django.db.models import Q
from django.utils import timezone

from pirunner.callers import Caller
from pirunner.tokens.text import digest_of, is_whole

if TYPE_CHECKING:
    from pirunner.tokens.models import Token

log = logging.getLogger(__name__)

FRESH_SECONDS = 5.0
NOTED_SECONDS = 60.0
MOST = 1024


@dataclass(slots=True)
class Entry:
    """A token as it was when the database was asked, and when its use was noted last (monotonic seconds)."""

    token: "Token"
    caller: Caller
    ends_at: datetime | None
    """When this text of it ends because it was rotated."""
    asked: float
    noted: float | None = None


class Register:
    """The tokens that were used lately."""

    def __init__(self) -> None:
        self._reset()
        # A forked child inherits the object but not its thread.
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._forgotten = 0
        self._used: queue.SimpleQueue[tuple[int, datetime]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def find(self, text: str) -> Entry | None:
        """Return the token of a text, valid or not, or None if there is none."""
        if not is_whole(text):
            return None
        digest = digest_of(text)
        entry = self._entries.get(digest)
        if entry is None or time.monotonic() - entry.asked > FRESH_SECONDS:
            entry = self._ask(digest, entry)
        if entry and entry.ends_at and entry.ends_at <= timezone.now():
            return None
        return entry

    def note_use(self, entry: Entry) -> None:
        """Have it written down that a token was used, unless that was done within the last minute."""
        now = time.monotonic()
        if entry.noted is not None and now - entry.noted < NOTED_SECONDS:
            return
        entry.noted = now
        self._used.put((entry.token.pk, timezone.now()))
        if self._thread is None or not self._thread.is_alive():
            with self._lock:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._write, name="tokens", daemon=True)
                    self._thread.start()

    def forget(self) -> None:
        """Ask the database again for whatever comes next."""
        with self._lock:
            self._entries.clear()
            self._forgotten += 1

    def _ask(self, digest: str, known: Entry | None) -> Entry | None:
        asked, forgotten = time.monotonic(), self._forgotten
        tokens = apps.get_model("tokens", "Token")._default_manager  # noqa: SLF001  (Django's documented name)
        token = tokens.filter(Q(digest=digest) | Q(previous_digest=digest)).first()
        with self._lock:
            self._entries.pop(digest, None)
            if token is None:
                return None
            ends_at = None if token.digest == digest else token.previous_until
            entry = Entry(token, token.caller, ends_at, asked, known.noted if known else None)
            if forgotten == self._forgotten:  # else it may have been changed since it was read
                self._entries[digest] = entry
            if len(self._entries) > MOST:
                self._entries.popitem(last=False)
        return entry

    def _write(self) -> None:
        while True:
            number, moment = self._used.get()
            try:
                tokens = apps.get_model("tokens", "Token")._default_manager  # noqa: SLF001
                tokens.filter(pk=number).update(last_used_at=moment)
            except Error as error:
                log.warning("It could not be noted when a token was used: %s", error)
            finally:
                connection.close()


register = Register()
