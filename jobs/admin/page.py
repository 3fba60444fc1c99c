"""The page of one job: where it stands, live while it runs; what came of it, how it ran, what it was given."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import Http404, HttpRequest
from django.template.response import TemplateResponse

from jobs.admin.acts import Act, acts_allowed
from jobs.admin.code import coloured_json
from jobs.admin.files import Preview, can_be_looked_into, is_markdown, preview_of
from jobs.admin.history import DELIVERIES, RUNS, deliveries_of, runs_of, steps_of
from jobs.admin.origins import due_time_of, origins_of
from jobs.admin.shown import Shown, is_past
from jobs.catalog import find
from jobs.models import Artifact, Job, LogLine
from jobs.selectors import CONTENTS, artifacts_of_job, find_job, is_id, last_lines_of_job
from jobs.spending import spent_of_job
from pirunner.admin_pages import json_text
from pirunner.wording import size, span
from webhooks.models import Delivery

LINES = 200
"""How many lines of a log come at once."""
LONGEST_JSON = 128 * 1024
FOLDED = 24
"""Lines of JSON beyond which it is folded."""
WATCHED = timedelta(minutes=2)
"""How long after its end a page is still renewed for callbacks that are under way."""


@dataclass(frozen=True, slots=True)
class JsonBlock:
    """A JSON value for the page: how it is called, its text in colours, and whether it is folded at first."""

    name: str
    title: str
    html: str
    lines: int
    cut: str = ""

    @property
    def is_folded(self) -> bool:
        """Whether it is too long to be shown at once."""
        return self.lines > FOLDED


def show_page(request: HttpRequest, job_id: str) -> TemplateResponse:
    """Answer with the page of a job; 404 if there is none."""
    job = find_job(job_id)
    if job is None:
        raise Http404(f"There is no job {job_id[:80]} (any more).")
    context = {
        **admin.site.each_context(request),
        **context_of(request, job),
        **log_context(request, job),
        "title": f"Job {job.pk} · {job.job_type}",
    }
    return TemplateResponse(request, "admin/jobs/job/page.html", context)


def version_of(job: Job) -> str:
    """Return what changes when something changes on the page of a job, but for its progress and its log."""
    deliveries = Delivery.objects.filter(job_id=job.pk).order_by("-pk")[:DELIVERIES]
    sent = ".".join(f"{state[:2]}{attempts}" for state, attempts in deliveries.values_list("state", "attempts"))
    asked = "c" if job.cancel_requested_at else ""
    return f"{job.state}-{job.run}-{job.attempts_made}{asked}-{sent}"


def is_live(job: Job) -> bool:
    """Return whether the page of a job is to be renewed by itself."""
    return not Shown(job).is_ended or _awaits_callbacks(job)


def renewal_of(job: Job) -> str:
    """Return how often that is, as htmx takes it."""
    return "every 5s" if Shown(job).is_ended else "every 1s"


def context_of(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Return all that the page shows of a job, but for its log."""
    return {
        **head_context(request, job),
        "outcome": _json_block("result", "Result", job.result),
        "error": job.error,
        "error_class": job.error_class,
        "blocks": _blocks(job),
        "runs": runs_of(job),
        "earlier_runs": max(0, job.run - RUNS),
        "files": _files(request, job),
        "deliveries": deliveries_of(job),
        "is_called_back": bool(job.callback_url or settings.CALLBACK_URL),
        "may_see_deliveries": request.user.has_perm("webhooks.view_delivery"),
        "may_see_runs": request.user.has_perm("django_celery_results.view_taskresult"),
        "steps": steps_of(job),
        "facts": _facts(job),
        "spent": spent_of_job(job.pk),
        "notes": _notes(request, job),
        "version": version_of(job),
    }


def head_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Return what the head of the page says, and what can be done."""
    state = Shown(job)
    return {
        "job": job,
        "shown": state,
        "acts": _acts(request, job),
        "may_submit": request.user.has_perm("jobs.add_job") and find(job.job_type) is not None,
        "live": is_live(job),
        "every": renewal_of(job),
        "description": _description(job),
    }


def log_context(request: HttpRequest, job: Job) -> dict[str, Any]:
    """Return the newest lines of the log, and whether there are earlier ones."""
    if not request.user.has_perm("jobs.view_logline"):
        return {"may_see_log": False, "after": 0}
    lines = last_lines_of_job(job.pk, LINES + 1)
    shown = lines[-LINES:]
    return {
        "may_see_log": True,
        "lines": shown,
        "earlier": shown[0].pk if len(lines) > LINES else None,
        "after": shown[-1].pk if shown else 0,
    }


def earlier_lines(job_id: int, before: int) -> tuple[list[LogLine], int | None]:
    """Return the lines before a number, in order, and the number before which there are more."""
    rows = LogLine.objects.filter(job_id=job_id, pk__lt=before).order_by("-pk")[: LINES + 1]
    lines = list(rows)[::-1]
    return lines[-LINES:], lines[-LINES].pk if len(lines) > LINES else None


def without_contents(job_id: str) -> Job | None:
    """Return a job without what may be large, as a renewal of its page needs it."""
    return Job.objects.defer(*CONTENTS).filter(pk=int(job_id)).first() if is_id(job_id) else None


def _description(job: Job) -> str:
    job_type = find(job.job_type)
    return job_type.description if job_type else "This job type does not exist here any more."


def _acts(request: HttpRequest, job: Job) -> list[Act]:
    return [act for act in acts_allowed(request) if act.fate_of(job).happens]


def _awaits_callbacks(job: Job) -> bool:
    if job.finished_at is None or is_past(job.finished_at, WATCHED):
        return False
    return Delivery.objects.pending().filter(job_id=job.pk).exists()


def _json_block(name: str, title: str, value: Any) -> JsonBlock | None:
    if value is None:
        return None
    text = json_text(value)
    cut = ""
    if len(text) > LONGEST_JSON:
        cut = f"The first {LONGEST_JSON:,} of {len(text):,} characters; GET /jobs/<id> has all."
        text = text[:LONGEST_JSON]
    return JsonBlock(name, title, coloured_json(text), text.count("\n") + 1, cut)


def _blocks(job: Job) -> list[JsonBlock]:
    blocks = (
        _json_block("input", "Input", job.input),
        _json_block("metadata", "Metadata", job.metadata),
        _json_block("schedule", "Schedule, as it was sent", job.schedule),
    )
    return [block for block in blocks if block is not None]


def _files(request: HttpRequest, job: Job) -> list[dict[str, Any]]:
    """Return the files, newest run first; the first page of Markdown is shown at once."""
    if not request.user.has_perm("jobs.view_artifact"):
        return []
    files = sorted(artifacts_of_job(job.pk), key=lambda file: (-file.run, file.pk))
    opened = next((file for file in files if is_markdown(file)), None)
    return [_file(file, preview_of(file) if file is opened else None) for file in files]


def _file(artifact: Artifact, preview: Preview | None) -> dict[str, Any]:
    return {
        "artifact": artifact,
        "size": size(artifact.size),
        "preview": preview,
        "can_be_looked_into": can_be_looked_into(artifact),
    }


def _facts(job: Job) -> list[dict[str, Any]]:
    facts: list[dict[str, Any]] = [
        {"name": "Attempts", "value": f"{job.attempts_made} of {job.max_attempts}"},
        {"name": "Priority", "value": _priority(job.priority)},
        {"name": "Submitted by", "value": job.owner},
        *_origin_facts(job),
        {"name": "Concurrency key", "value": job.concurrency_key, "mono": True},
        {"name": "Worker", "value": job.worker},
        {"name": "Process", "value": f"{job.child_pid}" if job.child_pid else ""},
        {"name": "Called back", "value": job.callback_url or settings.CALLBACK_URL or ""},
        {"name": "Also told of", "value": ", ".join(job.callback_events.split())},
        {"name": "Time limit", "value": _time_limit(job)},
    ]
    return [fact for fact in facts if fact["value"]]


def _origin_facts(job: Job) -> list[dict[str, Any]]:
    if not job.schedule_id:
        return []
    origin = origins_of([job.schedule_id]).get(job.schedule_id)
    named = {"value": origin.name, "url": origin.url} if origin else {"value": "deleted since"}
    due = due_time_of(job.pk)
    return [{"name": "Schedule", **named}, *([{"name": "Due there", "moment": due, "value": "·"}] if due else [])]


def _priority(number: int) -> str:
    word = {1: "most urgent", 5: "usual", 10: "least urgent"}.get(number)
    return f"{number} ({word})" if word else str(number)


def _time_limit(job: Job) -> str:
    job_type = find(job.job_type)
    return f"{span(job_type.time_limit)} an attempt" if job_type and not Shown(job).is_ended else ""


def _notes(request: HttpRequest, job: Job) -> list[LogEntry]:
    """Return what people did to the job here, for those who may read the audit."""
    if not request.user.has_perm("admin.view_logentry"):
        return []
    kind = ContentType.objects.get_for_model(Job)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(job.pk)).select_related("user")
    return list(entries.order_by("-pk")[:10])
