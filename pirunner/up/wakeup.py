"""Signals as bytes to read, so that the supervisor's loop meets them like everything else."""

import signal
import socket

CAUGHT = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD)
STOPPERS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})


class Wakeup:
    """A socket that becomes readable when a signal has arrived."""

    def __init__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        for number in CAUGHT:
            # Python writes a signal's number to the wakeup descriptor only if it has a handler.
            signal.signal(number, lambda *_: None)
        # A full socket already means "wake up"; no warning is needed.
        signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Return the descriptor to wait for."""
        return self._read.fileno()

    def signals(self) -> list[int]:
        """Return the numbers of the signals that have arrived."""
        try:
            return list(self._read.recv(4096))
        except BlockingIOError:
            return []
