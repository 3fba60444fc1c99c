"""One forked process: its birth, with everything the parent had open or caught put back in order."""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from pirunner.up.lifeline import die_with, name_process

_RESET = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGQUIT)


@dataclass(frozen=True, slots=True)
class Child:
    """A running process: its id, and the read end of the pipe that carries what it prints."""

    pid: int
    output: int


def fork(name: str, main: Callable[[], object]) -> Child:
    """Run ``main`` in a process of its own, which prints into a pipe and dies with this one.

    It leads its own session, so that a Ctrl-C in the terminal reaches the supervisor alone.
    """
    read_end, write_end = os.pipe()
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        _live(name, main, parent, write_end)
    os.close(write_end)
    os.set_blocking(read_end, False)
    return Child(pid, read_end)


def _live(name: str, main: Callable[[], object], parent: int, output: int) -> NoReturn:
    """Be the child, to its end; never returns into the parent's code."""
    status = 1
    try:
        die_with(parent)
        os.setsid()
        name_process(f"pirunner-{name}")
        _reset_signals()
        _redirect(output)
        main()
        status = 0
    except SystemExit as end:
        status = _status_of(end)
    except BaseException:  # noqa: BLE001  (the process ends here; the reader of the log must learn why)
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        # Not sys.exit: the parent's own exit handlers are none of the child's business.
        os._exit(status)


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _redirect(output: int) -> None:
    """Read nothing, print into the pipe, and hold nothing else that the parent has open."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.closerange(3, max(nothing, output, 1024) + 1)


def _status_of(end: SystemExit) -> int:
    if end.code is None:
        return 0
    if isinstance(end.code, int):
        return end.code & 0xFF
    # What Python itself does with such an exit.
    print(end.code, file=sys.stderr)
    return 1
