"""The list of jobs: newest first, in pages that each cost the same, however many jobs there are."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone

from jobs.admin.acts import MOST, acts_allowed
from jobs.admin.filters import Wanted, read_wanted
from jobs.admin.origins import origins_of
from jobs.admin.shown import Shown
from jobs.listing import SEARCHED, list_jobs
from jobs.selectors import count_states
from jobs.states import State


def show_list(request: HttpRequest) -> TemplateResponse:
    """Answer with one page of the list."""
    wanted = read_wanted(request.GET)
    page = list_jobs(wanted.filter(timezone.now()))
    context = {
        **admin.site.each_context(request),
        "title": "Jobs",
        "wanted": wanted,
        "tabs": _tabs(wanted),
        "rows": _rows(page.jobs),
        "older": f"?{wanted.query()}&before={page.next_before}" if page.next_before else "",
        "newest": "" if wanted.is_first_page else f"?{wanted.query()}",
        "acts": acts_allowed(request),
        "most": f"{MOST:,}",
        "searched": f"{SEARCHED:,}",
        "may_submit": request.user.has_perm("jobs.add_job"),
        "address": request.build_absolute_uri("/jobs"),
        "origin": origins_of([wanted.schedule_id]).get(wanted.schedule_id) if wanted.schedule_id else None,
    }
    return TemplateResponse(request, "admin/jobs/job/list.html", context)


def _rows(jobs: Any) -> list[dict[str, Any]]:
    origins = origins_of({job.schedule_id for job in jobs if job.schedule_id})
    return [{"shown": Shown(job), "job": job, "origin": origins.get(job.schedule_id)} for job in jobs]


def _tabs(wanted: Wanted) -> list[dict[str, Any]]:
    """Return the states to choose from, with how many jobs of each there are; nobody counts the ended ones."""
    counts = count_states()
    every = {
        "name": "All",
        "count": f"{sum(counts.values()):,}",
        "query": wanted.query(state=""),
        "here": not wanted.state,
    }
    return [
        every,
        *(
            {
                "name": state.value.capitalize(),
                "state": state.value,
                "count": f"{counts[state.value]:,}",
                "query": wanted.query(state=state.value),
                "here": wanted.state == state,
            }
            for state in _ORDER
        ),
    ]


_ORDER = (State.ACTIVE, State.WAITING, State.DELAYED, State.COMPLETED, State.FAILED, State.CANCELLED)
