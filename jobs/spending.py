"""Spending: the tokens and the dollars that jobs cost, and the owner's budgets, which two workers cannot overdraw.

Who knows beforehand what a call may cost reserves it, and settles afterwards. What has been spent is recorded whatever
the budget says, also by a run that is over: the money is gone. What a worker had reserved when it died stays taken: its
question may have been answered, and paid for. Days are those of the ``TZ`` setting.
"""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone

from jobs.errors import BudgetExceeded
from jobs.models import DaySpending, Job, JobSpending
from jobs.runs import Claim
from pirunner.bulk import insert_many
from pirunner.turns import take_turns

MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Spent:
    """What was spent."""

    tokens: int
    usd: float


def reserve(claim: Claim, tokens: int) -> None:
    """Take tokens off the budgets before they are spent.

    Raises ``BudgetExceeded``, and takes none, when too few are left.
    """
    with transaction.atomic():
        _add(claim, tokens, 0)
        _check(claim)


def spend(claim: Claim, tokens: int, usd: float) -> None:
    """Record what was spent; raises ``BudgetExceeded`` when that was too much.

    Less than nothing gives back of what was reserved, and is never too much: others may have overdrawn meanwhile.
    """
    with transaction.atomic():
        _add(claim, tokens, round(usd * MICRO))
    if tokens > 0:
        _check(claim)


def spent_of_job(job_id: int) -> Spent | None:
    """Return what a job has spent, None if nothing."""
    row = JobSpending.objects.filter(pk=job_id).first()
    return None if row is None else Spent(row.tokens, row.micro_usd / MICRO)


def _add(claim: Claim, tokens: int, micro_usd: int) -> None:
    take_turns("spending")
    day = DaySpending(day=timezone.localdate(), job_type=claim.job_type, tokens=tokens, micro_usd=micro_usd)
    insert_many([day], on_conflict=_OVER_DAY)
    of_job = JobSpending.objects.filter(pk=claim.job_id)
    known = of_job.update(tokens=F("tokens") + tokens, micro_usd=F("micro_usd") + micro_usd)
    # The job may have been deleted meanwhile (and is not, while it is held); the day's sum counts all the same.
    if not known and Job.objects.select_for_update().filter(pk=claim.job_id).values_list("pk", flat=True).first():
        JobSpending.objects.create(pk=claim.job_id, tokens=tokens, micro_usd=micro_usd)


def _check(claim: Claim) -> None:
    """Raise ``BudgetExceeded`` if more has been spent than a budget allows."""
    today = timezone.localdate()
    per_type = settings.LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY.get(claim.job_type, 0)
    _hold_to("LLM_BUDGET_TOKENS_PER_JOB", settings.LLM_BUDGET_TOKENS_PER_JOB, _tokens_of_job(claim.job_id), "this job")
    _hold_to("LLM_BUDGET_TOKENS_PER_DAY", settings.LLM_BUDGET_TOKENS_PER_DAY, _tokens_of_day(today), "today")
    _hold_to(
        "LLM_BUDGET_TOKENS_PER_TYPE_PER_DAY",
        per_type,
        _tokens_of_day(today, claim.job_type),
        f"today's jobs of the type {claim.job_type}",
    )


def _hold_to(variable: str, budget: int, tokens: int, whose: str) -> None:
    if not budget or tokens <= budget:
        return
    later = (
        "Send it again with less to do, or let the owner raise it"
        if variable.endswith("PER_JOB")
        else f"Retry after midnight ({settings.TIME_ZONE}), or let the owner raise it"
    )
    raise BudgetExceeded(
        f"The budget of {budget} tokens for {whose} ({variable}) does not suffice: {tokens} would be used. {later}."
    )


def _tokens_of_job(job_id: int) -> int:
    return JobSpending.objects.filter(pk=job_id).values_list("tokens", flat=True).first() or 0


def _tokens_of_day(day: date, job_type: str = "") -> int:
    rows = DaySpending.objects.filter(day=day)
    rows = rows.filter(job_type=job_type) if job_type else rows
    return rows.aggregate(tokens=Sum("tokens"))["tokens"] or 0


_OVER_DAY = """
ON CONFLICT (day, job_type) DO UPDATE
   SET tokens = jobs_dayspending.tokens + excluded.tokens, micro_usd = jobs_dayspending.micro_usd + excluded.micro_usd
"""
