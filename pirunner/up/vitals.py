"""Whether the programs of some roles work, each as it can show it: told to systemd, which starts anew who does not.

A process that is there may be frozen or may have lost its way, so what is looked at is its work: the clock's ticks,
the interpreter of a worker's parent, and an answer over HTTP.
"""

import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from pirunner import lifesign
from pirunner.up import notify
from pirunner.up.notify import Notifier
from pirunner.up.ready import answers

LONGEST_SILENCE = 30.0  # seconds
_ASKED_EVERY = 15.0  # seconds, once it answers
_ASKED_FIRST = 0.5  # seconds, until it does

Helper = Callable[[str, Callable[[], object], Callable[[bool], None]], None]


class Pulse(Protocol):
    """How a program shows that it works."""

    def is_felt(self, now: float) -> bool:
        """Return whether it has shown itself of late; ``now`` is the monotonic clock in seconds."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign of life in the page of memory that is shared with the program."""

    role: str
    longest: float = LONGEST_SILENCE

    def is_felt(self, now: float) -> bool:  # noqa: ARG002  (it keeps its own time)
        """Return whether there was a sign of late."""
        age = lifesign.age(self.role)
        return age is not None and age <= self.longest


@dataclass(slots=True)
class Answer:
    """An answer over HTTP, whatever it says. ``ask`` has somebody else wait for it: the supervisor never waits."""

    address: str
    ask: Helper
    _asking: bool = False
    _asked: float = field(default=float("-inf"))
    _answered: float = field(default=float("-inf"))

    def is_felt(self, now: float) -> bool:
        """Return whether there was an answer of late; asks again now and then."""
        felt = now - self._answered <= LONGEST_SILENCE
        if not self._asking and now - self._asked >= (_ASKED_EVERY if felt else _ASKED_FIRST):
            self._asking, self._asked = True, now
            self.ask("question", partial(_expect_answer, self.address), self._note)
        return felt

    def _note(self, answered: bool) -> None:
        self._asking = False
        if answered:
            self._answered = time.monotonic()


@dataclass(frozen=True, slots=True)
class Works:
    """A program that is asked directly, by a call that ends soon."""

    asked: Callable[[], bool]

    def is_felt(self, now: float) -> bool:  # noqa: ARG002
        """Return its answer."""
        return self.asked()


@dataclass(slots=True)
class Vitals:
    """Says once that all are ready, and then, if systemd wants to know, again and again that all work."""

    pulses: Mapping[str, Pulse]
    notifier: Notifier
    say: Callable[[str], None]
    _is_ready: bool = False
    _told: float = field(default=float("-inf"))

    def look(self, now: float) -> None:
        """Look once; called in every turn of the supervisor."""
        if self._is_ready and (self.notifier.every is None or now - self._told < self.notifier.every):
            return
        # All of them, so that each that has to be asked is asked.
        missing = [name for name, pulse in self.pulses.items() if not pulse.is_felt(now)]
        if missing:
            return
        self._told = now
        if self._is_ready:
            self.notifier.tell(notify.ALIVE)
            return
        self._is_ready = True
        self.notifier.tell(notify.READY, notify.ALIVE)
        self.say(f"{' and '.join(self.pulses)} ready")


def _expect_answer(address: str) -> None:
    if not answers(address):
        sys.exit(1)
