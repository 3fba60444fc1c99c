"""What a handler can raise to say how its attempt ended."""


class JobFailed(Exception):
    """The attempt failed; it is retried while attempts are left. The sentence is shown to the client."""


class DoNotRetry(JobFailed):
    """The attempt failed and another one would fail too: the job ends as failed now."""


class JobCancelled(Exception):
    """Somebody cancelled the job; let it through, or raise it after ``ctx.cancelled()`` said so."""


class BudgetExceeded(DoNotRetry):
    """The owner's budget for language models does not suffice; the sentence says which, and what to do."""


class RunLost(DoNotRetry):
    """This run's lease is over and its job may be in other hands: whatever it still does changes nothing."""


class TimeLimitExceeded(JobFailed):
    """The handler took longer than its type allows."""


class RetryAfter(JobFailed):
    """The attempt failed; the next one makes sense after so many seconds and not before."""

    def __init__(self, seconds: float, reason: str) -> None:
        super().__init__(reason)
        self.seconds = seconds
