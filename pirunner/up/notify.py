"""sd_notify(3): tells systemd that a service is ready, that it works, and that it stops. The standard library only."""

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress
from dataclasses import dataclass

READY = "READY=1"
STOPPING = "STOPPING=1"
ALIVE = "WATCHDOG=1"
_TIMES_PER_LIMIT = 3  # how often is shown what systemd wants to see once


@dataclass(frozen=True, slots=True)
class Notifier:
    """Where systemd listens, "" if nobody does, and how often it wants a sign, in seconds."""

    address: str = ""
    every: float | None = None

    def tell(self, *lines: str) -> None:
        """Send lines such as ``READY=1``; nothing is waited for."""
        if not self.address:
            return
        # A leading @ stands for the NUL byte of an abstract address.
        address = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        # It is a courtesy: without systemd at the other end the programs go on all the same.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as client:
            client.sendto("\n".join(lines).encode(), address)


def take_notifier(environment: MutableMapping[str, str] = os.environ) -> Notifier:
    """Return what the environment says, and take it out: none of the children may answer in this process's name."""
    address = environment.pop("NOTIFY_SOCKET", "")
    limit = environment.pop("WATCHDOG_USEC", "")
    meant = environment.pop("WATCHDOG_PID", str(os.getpid()))
    if not address.startswith(("/", "@")):
        return Notifier()
    watched = limit.isdigit() and int(limit) > 0 and meant == str(os.getpid())
    return Notifier(address, int(limit) / 1_000_000 / _TIMES_PER_LIMIT if watched else None)
