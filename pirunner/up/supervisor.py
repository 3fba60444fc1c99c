"""The supervisor: one loop, one thread; it reads, reaps, restarts, and in the end stops all in order."""

import os
import selectors
import signal
import time
from collections.abc import Callable, Sequence

from pirunner.up import child
from pirunner.up.keeper import Keeper, Program, describe_status
from pirunner.up.output import Output
from pirunner.up.wakeup import STOPPERS, Wakeup

LONGEST_STOP = 30.0  # seconds for all stages together
_TURN = 1.0  # seconds at most between two looks at the timers
_ITSELF = "up"


class Supervisor:
    """Keeps the programs running until a signal asks it to stop."""

    def __init__(self, output: Output, on_change: Callable[[dict[str, int]], None]) -> None:
        self._output = output
        self._on_change = on_change
        self._keepers: dict[str, Keeper] = {}
        self._helpers: dict[int, Callable[[bool], None]] = {}
        self._selector = selectors.DefaultSelector()
        self._wakeup = Wakeup()
        self._selector.register(self._wakeup.fileno(), selectors.EVENT_READ, None)
        self.stopping = False
        self.each_turn: Callable[[float], None] = lambda _: None
        """Called in every turn with the monotonic clock in seconds; it must not wait."""
        self._hurried = False

    # -- what the command tells it --------------------------------------------------------------------------

    def add(self, programs: Sequence[Program]) -> None:
        """Take programs under supervision; the next turn starts them."""
        self._keepers.update({program.name: Keeper(program) for program in programs})

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Turn until ``condition`` holds; False when time is over or a stop was asked for."""
        end = time.monotonic() + seconds
        while not condition():
            if self.stopping or time.monotonic() >= end:
                return False
            self._turn(0.02)
        return True

    def help(self, name: str, main: Callable[[], object], then: Callable[[bool], None]) -> None:
        """Run ``main`` once in a process of its own, and call ``then`` with whether it succeeded."""
        helper = child.fork(name, main)
        os.close(helper.output)
        self._helpers[helper.pid] = then

    def say(self, text: str) -> None:
        """Print a line of the supervisor's own."""
        self._output.line(_ITSELF, text)

    def serve(self) -> None:
        """Keep everybody running until a signal asks for the stop."""
        while not self.stopping:
            self._turn(_TURN)

    def stop(self) -> None:
        """Stop everybody, stage by stage; kills who does not follow within its grace."""
        self.stopping = True
        end = time.monotonic() + LONGEST_STOP
        for stage in sorted({keeper.program.stage for keeper in self._keepers.values()}):
            self._stop_stage([keeper for keeper in self._running() if keeper.program.stage == stage], end)
        self._output.flush()

    # -- one turn -------------------------------------------------------------------------------------------

    def _turn(self, seconds: float) -> None:
        """Wait for something to happen, but no longer than until the next timer, and deal with it."""
        for key, _ in self._selector.select(self._until_next_start(seconds)):
            if key.data is None:
                self._take_signals()
            else:
                self._take_output(key.data)
        self._reap()
        if not self.stopping:
            self._look_at_timers()
            self.each_turn(time.monotonic())
        self._output.flush()

    def _until_next_start(self, seconds: float) -> float:
        now = time.monotonic()
        waits = [keeper.due - now for keeper in self._keepers.values() if keeper.process is None]
        return seconds if self.stopping else max(0.0, min([seconds, *waits]))

    def _take_signals(self) -> None:
        for number in self._wakeup.signals():
            if number not in STOPPERS:
                continue
            self._hurried = self._hurried or (self.stopping and number == signal.SIGINT)
            if not self.stopping:
                self.say("stopping" + (" (Ctrl-C again: at once)" if number == signal.SIGINT else ""))
            self.stopping = True

    def _take_output(self, keeper: Keeper) -> None:
        lines, more = keeper.read()
        for line in lines:
            self._output.line(keeper.name, line)
        if not more and keeper.process is not None:
            self._selector.unregister(keeper.process.output)

    def _reap(self) -> None:
        """Take note of every process that has ended, orphans that were handed to us included."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._note_end(pid, status)

    def _note_end(self, pid: int, status: int) -> None:
        for keeper in self._running():
            if keeper.process is not None and keeper.process.pid == pid:
                self._lost(keeper, status)
                return
        if pid in self._helpers:
            self._helpers.pop(pid)(status == 0)

    def _lost(self, keeper: Keeper, status: int) -> None:
        for line in keeper.drain():
            self._output.line(keeper.name, line)
        if keeper.process is not None and keeper.process.output in self._selector.get_map():
            self._selector.unregister(keeper.process.output)
        delay = keeper.ended(time.monotonic())
        if not self.stopping:
            self.say(f"{keeper.name} {describe_status(status)}; starting it again in {delay:g} s")

    # -- timers ---------------------------------------------------------------------------------------------

    def _look_at_timers(self) -> None:
        now = time.monotonic()
        for keeper in self._keepers.values():
            if keeper.is_stalled(now):
                self.say(f"{keeper.name} shows no sign of life; ending it")
                keeper.kill()
            if keeper.is_due(now):
                self._start(keeper, now)

    def _start(self, keeper: Keeper, now: float) -> None:
        process = keeper.start(now)
        self._selector.register(process.output, selectors.EVENT_READ, keeper)
        self._on_change({other.name: other.process.pid for other in self._running() if other.process})

    # -- the stop -------------------------------------------------------------------------------------------

    def _stop_stage(self, keepers: list[Keeper], end: float) -> None:
        for keeper in keepers:
            keeper.stop()
        grace = max((keeper.program.grace for keeper in keepers), default=0.0)
        end = min(end, time.monotonic() + grace)
        while any(keeper.process for keeper in keepers) and time.monotonic() < end and not self._hurried:
            self._turn(min(_TURN, max(0.0, end - time.monotonic())))
        for keeper in keepers:
            if keeper.process is not None:
                self.say(f"{keeper.name} did not stop in time; ending it")
                keeper.kill()
        while any(keeper.process for keeper in keepers):
            self._turn(_TURN)

    def _running(self) -> list[Keeper]:
        return [keeper for keeper in self._keepers.values() if keeper.process is not None]
