"""When a failed attempt is followed by the next one."""

LONGEST_DELAY = 3600.0
JITTER_SHARE = 0.2


def retry_delay(attempts_made: int, *, base_seconds: float, jitter: float) -> float:
    """Return the seconds until the next attempt: exponential, at most an hour, give or take jitter.

    ``attempts_made`` counts the failed ones (1 after the first), ``jitter`` is a number from -1 to 1.
    """
    exponent = min(attempts_made - 1, 30)
    delay = min(base_seconds * 2.0**exponent, LONGEST_DELAY)
    return delay * (1.0 + JITTER_SHARE * jitter)
