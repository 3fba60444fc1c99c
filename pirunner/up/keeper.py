"""Keeps one program running: knows its process, reads its output, and when to start it again."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

from pirunner.up import child
from pirunner.up.backoff import failures_after, restart_delay
from pirunner.up.output import LineSplitter


@dataclass(frozen=True, slots=True)
class Program:
    """What is run, and how it is stopped.

    ``stage`` orders the stop (the lowest first), ``grace`` is how many seconds the program has for it.
    ``stalled`` tells, given the seconds since the start, that a running process no longer lives.
    """

    name: str
    main: Callable[[], object]
    stage: int
    grace: float
    stop_signal: signal.Signals = signal.SIGTERM
    stalled: Callable[[float], bool] | None = None
    before_start: Callable[[], None] | None = None


class Keeper:
    """One program under supervision. All times are seconds of the monotonic clock."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: child.Child | None = None
        self.started = 0.0
        self.failures = 0
        self.due = 0.0
        self._splitter = LineSplitter()

    @property
    def name(self) -> str:
        """Return the program's name."""
        return self.program.name

    def start(self, now: float) -> child.Child:
        """Fork the program and return its process."""
        if self.program.before_start is not None:
            self.program.before_start()
        self._splitter = LineSplitter()
        self.process = child.fork(self.name, self.program.main)
        self.started = now
        return self.process

    def read(self) -> tuple[list[str], bool]:
        """Return the lines that the process has printed, and whether there may be more later."""
        if self.process is None:
            return [], False
        try:
            chunk = os.read(self.process.output, 65536)
        except BlockingIOError:
            return [], True
        return (self._splitter.feed(chunk), True) if chunk else (self._splitter.finish(), False)

    def drain(self) -> list[str]:
        """Return the lines that are left in the pipe of a process that has ended."""
        lines: list[str] = []
        more = self.process is not None
        while more and self.process is not None:
            try:
                chunk = os.read(self.process.output, 65536)
            except BlockingIOError:
                break
            lines += self._splitter.feed(chunk)
            more = bool(chunk)
        return lines + self._splitter.finish()

    def ended(self, now: float) -> float:
        """Note the end of the process, close its pipe, and return the delay until the next start."""
        if self.process is not None:
            os.close(self.process.output)
            self.process = None
        self.failures = failures_after(self.failures, now - self.started)
        delay = restart_delay(self.failures)
        self.failures += 1
        self.due = now + delay
        return delay

    def is_due(self, now: float) -> bool:
        """Tell whether the program does not run and should."""
        return self.process is None and now >= self.due

    def is_stalled(self, now: float) -> bool:
        """Tell whether the process runs but shows no sign of life."""
        judge = self.program.stalled
        return self.process is not None and judge is not None and judge(now - self.started)

    def stop(self) -> None:
        """Ask the process to end."""
        if self.process is not None:
            os.kill(self.process.pid, self.program.stop_signal)

    def kill(self) -> None:
        """End the process and everybody in its session's first group, at once."""
        if self.process is not None:
            # The child leads a group of its own from its first instructions on; before them it is alone.
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                os.kill(self.process.pid, signal.SIGKILL)


def describe_status(status: int) -> str:
    """Return how a process ended, from the status that waitpid gave."""
    code = os.waitstatus_to_exitcode(status)
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
