"""How often something may be done: buckets in the memory of this process, which is enough for one api process.

A bucket holds as many tokens as may be taken in a minute, and fills up evenly. They are kept by name, and there are
never more than ``most``: the one that was asked for longest ago is forgotten, full as it probably is again.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import IPv6Address, ip_address

MOST = 4096
MINUTE = 60.0


class Buckets:
    """Buckets by name; ``clock`` returns seconds."""

    def __init__(self, *, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, per_minute: int) -> float:
        """Take one; return 0, or after how many seconds there will be one to take."""
        now = self._clock()
        with self._lock:
            left, since = self._buckets.pop(name, (float(per_minute), now))
            left = min(float(per_minute), left + (now - since) * per_minute / MINUTE)
            taken = left >= 1
            self._buckets[name] = (left - 1 if taken else left, now)
            if len(self._buckets) > self._most:
                self._buckets.popitem(last=False)
        return 0.0 if taken else (1 - left) * MINUTE / per_minute

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._buckets.clear()

    def __len__(self) -> int:
        return len(self._buckets)


def neighbourhood(address: str) -> str:
    """Return what one client can easily change within: an IPv4 address itself, of an IPv6 address its /64."""
    try:
        read = ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if not isinstance(read, IPv6Address):
        return str(read)
    return str(read.ipv4_mapped or IPv6Address(int(read) >> 64 << 64))
