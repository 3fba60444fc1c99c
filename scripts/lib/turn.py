"""Locks the open file whose number is the argument; says so if another process holds it, and waits.

The lock belongs to the open file, which the calling shell keeps open, not to this process.
"""

import fcntl
import sys

descriptor = int(sys.argv[1])
try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("Another set-up of this folder is running; waiting for it ...", flush=True)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
