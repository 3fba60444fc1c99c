"""Hears that the process was asked to stop, whoever else handles the signal."""

import os
import signal
import threading
from collections.abc import Callable

_STOPPERS = frozenset({signal.SIGTERM, signal.SIGINT})


def when_asked_to_stop(then: Callable[[], None]) -> None:
    """Call ``then`` once, in a thread of its own, when this process gets SIGTERM or SIGINT.

    Python writes the number of every signal that has a handler into the wakeup descriptor, so the handlers may be
    set, and set again, by others. Call it in the main thread.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)

    def listen() -> None:
        while os.read(read_end, 1)[0] not in _STOPPERS:
            pass
        then()

    threading.Thread(target=listen, name="stop-listener", daemon=True).start()
