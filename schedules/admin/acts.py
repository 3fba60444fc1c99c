"""What people do to schedules in the admin besides editing: pause, resume, run, delete; one or many."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from pirunner.admin_pages import person_of
from pirunner.errors import ApiError
from pirunner.wording import counted
from schedules.firing import run_now
from schedules.models import Schedule
from schedules.services import delete_schedule, pause_schedule, resume_schedule

SHOWN = 50
"""How many of the chosen a confirmation names."""


@dataclass(frozen=True, slots=True)
class ActOnSchedule:
    """One thing to do: its name, what the question says, what is said when it is done, and by what."""

    name: str
    label: str
    question: str
    done: str
    do: Callable[..., Any]


ACTS: Mapping[str, ActOnSchedule] = {
    act.name: act
    for act in (
        ActOnSchedule(
            "pause",
            "Pause",
            "They fire no more until somebody resumes them. Jobs that run go on.",
            "{} paused.",
            pause_schedule,
        ),
        ActOnSchedule(
            "resume",
            "Resume",
            "They fire again; the rule of each decides about the due times of its pause.",
            "{} resumed.",
            resume_schedule,
        ),
        ActOnSchedule("run", "Run now", "One job of each is submitted at once.", "{} submitted to run now.", run_now),
    )
}


def perform(request: HttpRequest, act: ActOnSchedule, schedules: Iterable[Schedule]) -> None:
    """Do it to each, and say what was done and what was not."""
    count = 0
    for schedule in schedules:
        try:
            act.do(schedule.pk, by=person_of(request))
            count += 1
        except ApiError as error:
            messages.error(request, f"{schedule}: {error}")
    if count:
        messages.success(request, act.done.format(counted(count, "schedule")))


def confirm(
    request: HttpRequest, act: ActOnSchedule, chosen: QuerySet[Schedule], context: dict[str, Any]
) -> HttpResponse | None:
    """Ask first; with ``confirmed`` do it, and go back to the list."""
    if "confirmed" in request.POST:
        perform(request, act, chosen)
        return None
    count = chosen.count()
    more = {
        "title": f"{act.label}: {counted(count, 'schedule')}",
        "act": act,
        "count": count,
        "named": chosen[:SHOWN],
        "rest": max(0, count - SHOWN),
        "across": request.POST.get("select_across") == "1",
        "ids": request.POST.getlist(ACTION_CHECKBOX_NAME),
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/schedules/schedule/confirm.html", {**context, **more})


def delete_in_person(request: HttpRequest, schedule: Schedule) -> None:
    """Delete a schedule; no program makes its name again."""
    delete_schedule(schedule.pk, by=person_of(request), in_person=True)


def consequence_of(schedule: Schedule) -> str:
    """Return what the deletion of a schedule means."""
    kept = "its jobs stay, its occurrences go"
    if not schedule.name:
        return f"{kept}."
    return f"{kept}, and no program can make a schedule of this name again until its tombstone is deleted."
