"""What the page of a job fetches by itself: how it goes on, new lines of its log, and earlier ones."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.page import context_of, earlier_lines, head_context, renewal_of, version_of, without_contents
from jobs.models import Job, LogLine
from jobs.selectors import find_job, lines_of_job

NEW_LINES = 500
"""How many lines one renewal brings at most; the next brings more."""


def show_live(request: HttpRequest, job_id: str) -> TemplateResponse:
    """Answer with how far the job is, the lines after ``after``, and all the rest if it changed since ``seen``."""
    job = without_contents(job_id)
    if job is None:
        return TemplateResponse(request, "jobs/gone.html", {"job_id": job_id})
    # Before the lines: when it is final, all of them are there.
    head = head_context(request, job)
    lines = _lines_after(request, job)
    version = version_of(job)
    context: dict[str, Any] = {**head, "lines": lines, "after": lines[-1].pk if lines else _number(request, "after")}
    if version != request.GET.get("seen"):
        whole = find_job(job_id)
        context |= {**context_of(request, whole), "changed": True} if whole else {}
    is_all = len(lines) < NEW_LINES
    context |= {
        **admin.site.each_context(request),
        "version": version,
        "live": head["live"] or not is_all,
        "every": renewal_of(job) if is_all else "load delay:100ms",
        "may_see_log": request.user.has_perm("jobs.view_logline"),
    }
    return TemplateResponse(request, "jobs/live.html", context)


def show_earlier_lines(request: HttpRequest, job_id: str) -> TemplateResponse:
    """Answer with the lines of the log before ``before``."""
    if not request.user.has_perm("jobs.view_logline"):
        raise PermissionDenied
    job = without_contents(job_id)
    if job is None:
        raise Http404
    lines, earlier = earlier_lines(job.pk, _number(request, "before"))
    return TemplateResponse(request, "jobs/earlier_lines.html", {"job": job, "lines": lines, "earlier": earlier})


def _lines_after(request: HttpRequest, job: Job) -> list[LogLine]:
    if not request.user.has_perm("jobs.view_logline"):
        return []
    return lines_of_job(job.pk, after=_number(request, "after"), limit=NEW_LINES)


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else 0
