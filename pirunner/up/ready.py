"""Waits, in a process of its own, until the API answers; the supervisor's loop never waits for a network."""

import http.client
import sys
import time
from urllib.parse import urlsplit

LONGEST_START = 60.0  # seconds
_PAUSE = 0.05  # seconds between two tries


def wait_until_ready(address: str) -> None:
    """Return when the API at ``address`` answers; ends the process with code 1 when it does not in time."""
    end = time.monotonic() + LONGEST_START
    while not answers(address):
        if time.monotonic() > end:
            sys.exit(1)
        time.sleep(_PAUSE)


def answers(address: str) -> bool:
    """Tell whether there is an answer, whatever it says: it may still miss a part that comes later."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", "/health")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()
