"""Signs of life: one page of memory that `manage.py up` shares with the processes it forked.

The clock calls ``tick()`` in every turn of its loop; the supervisor reads how long ago that was. A worker that runs
as a part of its own calls ``show()``. No file, no row, no message: it works while the disk, the database and Redis
do not. Where no page was opened (a clock started by hand), nothing is done.
"""

import mmap
import struct
import time

_TICK = struct.Struct("=q")
CLOCK = "clock"
_DEAF = _TICK.size  # where the second number lies: since when the workers are deaf
_PLACES = {CLOCK: 0, "worker": 2 * _TICK.size, "io": 3 * _TICK.size}
_page: mmap.mmap | None = None


def open_page() -> None:
    """Make the page; called by the parent before it forks, so that its children share it."""
    global _page  # noqa: PLW0603  (one page per process, made once)
    _page = mmap.mmap(-1, mmap.PAGESIZE)


def tick() -> None:
    """Say that the clock turned just now."""
    show(CLOCK)


def show(role: str) -> None:
    """Say that the clock, the worker or the io turned just now."""
    if _page is not None:
        _TICK.pack_into(_page, _PLACES[role], time.monotonic_ns())


def forget(role: str = CLOCK) -> None:
    """Wipe the last sign, because another process of this role is about to start."""
    if _page is not None:
        _TICK.pack_into(_page, _PLACES[role], 0)


def age(role: str = CLOCK) -> float | None:
    """Return the seconds since the last sign; None when there was none yet, or no page."""
    if _page is None:
        return None
    (last,) = _TICK.unpack_from(_page, _PLACES[role])
    return (time.monotonic_ns() - last) / 1e9 if last else None


def call_deaf() -> None:
    """Say that the workers live but do not listen; the supervisor starts them anew."""
    if _page is not None and _TICK.unpack_from(_page, _DEAF) == (0,):
        _TICK.pack_into(_page, _DEAF, time.monotonic_ns())


def hear() -> None:
    """Say that the workers listen, or that nobody knows better."""
    if _page is not None:
        _TICK.pack_into(_page, _DEAF, 0)


def deaf() -> bool:
    """Return whether the workers were said to be deaf."""
    return _page is not None and _TICK.unpack_from(_page, _DEAF) != (0,)
