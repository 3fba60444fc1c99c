"""How long to wait before an ended process is started again: a table, without a clock of its own."""

FIRST_DELAY = 0.2  # seconds
LONGEST_DELAY = 10.0  # seconds
HEALTHY_AFTER = 60.0  # seconds


def restart_delay(failures: int) -> float:
    """Return the seconds to wait before a start that follows ``failures`` ends in a row (0 for the first)."""
    # The exponent is capped, because 2.0**1100 overflows long before anybody reads it.
    return min(FIRST_DELAY * 2.0 ** min(failures, 10), LONGEST_DELAY)


def failures_after(failures: int, lived: float) -> int:
    """Return the ends in a row to count with, for a process that ended after ``lived`` seconds."""
    return 0 if lived >= HEALTHY_AFTER else failures
