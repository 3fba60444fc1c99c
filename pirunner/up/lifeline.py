"""Ties a process's life to its parent's, so that nobody stays behind however the parent ends."""

import ctypes
import os
import signal

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_libc = ctypes.CDLL(None, use_errno=True)


def die_with(parent: int) -> None:
    """Ask the kernel to SIGKILL this process when its parent ends; call it first thing after the fork.

    ``parent`` is the process id seen before the fork. The wish survives an exec. Linux only; elsewhere the
    call fails without harm.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # The parent may have ended between the fork and the wish: then nobody would fulfil it.
    if os.getppid() != parent:
        os._exit(1)


def name_process(name: str) -> None:
    """Show ``name`` (at most 15 bytes) in `ps` and `top` instead of the interpreter's name."""
    _prctl(_PR_SET_NAME, ctypes.c_char_p(name.encode()[:15]))


def _prctl(option: int, value: int | ctypes.c_char_p) -> None:
    prctl = getattr(_libc, "prctl", None)
    if prctl is not None:
        prctl(option, value, 0, 0, 0)
