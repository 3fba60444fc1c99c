"""The time limit that a handler notices: an exception in it, after so many seconds."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from jobs.errors import TimeLimitExceeded


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ``TimeLimitExceeded`` in the block after so many seconds, in the main thread of a process only.

    It is a signal (``SIGALRM``, setitimer(2)): code that does not come back to Python is not interrupted, and the
    worker's parent ends its process a little later.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise TimeLimitExceeded(f"time limit of {seconds:g} s exceeded")

    previous = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
