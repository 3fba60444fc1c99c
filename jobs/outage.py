"""What an outage did to the jobs."""

from collections.abc import Sequence
from datetime import datetime

from django_celery_results.models import TaskResult

from jobs.endings import LOST
from jobs.events import RECOVERED, callback_url_for
from jobs.models import Job

MOST = 1000


def interrupted_jobs(until: datetime) -> list[int]:
    """Return the jobs, at most ``MOST``, whose run had begun before ``until`` and was taken back after it."""
    lost = TaskResult.objects.filter(
        date_done__gte=until, date_started__lte=until, result__startswith=f'{{"error": "{LOST}'
    )
    return sorted({int(task_id.partition(":")[0]) for task_id in lost.values_list("task_id", flat=True)[:MOST]})


def called_about_recovery(job_ids: Sequence[int]) -> list[str]:
    """Return the callback URLs, each once, of those of these jobs that asked to be told of a recovery."""
    asked = Job.objects.filter(pk__in=job_ids, callback_events__contains=RECOVERED).order_by("pk")
    rows = asked.values_list("callback_url", "callback_events")
    called = (callback_url_for(RECOVERED, callback_url, callback_events) for callback_url, callback_events in rows)
    return list(dict.fromkeys(url for url in called if url))


def overdue_jobs(since: datetime, until: datetime) -> list[int]:
    """Return the jobs, at most ``MOST``, that became due between these moments and are still delayed."""
    overdue = Job.objects.delayed().filter(due_at__gt=since, due_at__lte=until).order_by("due_at")
    return list(overdue.values_list("pk", flat=True)[:MOST])
