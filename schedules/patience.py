"""When it is safe to take jobs back: not right after time itself was disturbed.

A machine that was suspended, a clock that was set, a database that was locked: in all these cases the leases of
healthy workers look expired, because nobody could renew them. So after such a disturbance the clock waits for one
full lease, in which every live worker renews.
"""

LEASE_SECONDS = 15.0
STALL_SECONDS = 5.0
DRIFT_SECONDS = 2.0


class Patience:
    """Watches the rounds of the clock, and tells whether leases can be trusted.

    A new clock trusts none before it has watched for one lease: it does not know what happened before it started.
    """

    def __init__(self) -> None:
        self._last: tuple[float, float] | None = None
        self._trust_from = 0.0

    def is_over(self, *, wall: float, steady: float, writable: bool = True) -> bool:
        """Record a round and return whether expired leases may be taken back in it.

        ``wall`` is the time of day and ``steady`` the monotonic clock, both in seconds. While the database is not
        ``writable`` no worker can renew: that is a disturbance too.
        """
        if not writable or self._last is None or self._disturbed(wall - self._last[0], steady - self._last[1]):
            self._trust_from = steady + LEASE_SECONDS
        self._last = (wall, steady)
        return steady >= self._trust_from

    @staticmethod
    def _disturbed(wall_passed: float, steady_passed: float) -> bool:
        return steady_passed > STALL_SECONDS or abs(wall_passed - steady_passed) > DRIFT_SECONDS
