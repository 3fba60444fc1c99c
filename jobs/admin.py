"""The jobs in the admin, for reading."""

import json
from datetime import datetime
from textwrap import shorten
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from jobs.models import Artifact, Job
from jobs.states import State

COLOURS = {
    State.COMPLETED: "success",
    State.FAILED: "danger",
    State.ACTIVE: "info",
    State.WAITING: "warning",
    State.DELAYED: "primary",
}
LINES = 50
"""How many lines of a job's log its page shows."""
OUTCOME_LENGTH = 70
_WRAPPED = "white-space: pre-wrap; overflow-wrap: anywhere"


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Rows that only pirunner itself writes."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody edits a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody deletes a row by hand; the API deletes jobs with their files."""
        return False


class ArtifactInline(TabularInline):  # type: ignore[misc]  # (unfold is untyped)
    """The files of a job."""

    model = Artifact
    extra = 0
    fields = readonly_fields = ("name", "media_type", "size", "sha256")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Nobody adds a file by hand."""
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, newest first."""

    list_display = ("id", "job_type", "state_shown", "priority", "accepted", "ended", "outcome")
    list_filter = ("state", "job_type")
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (ArtifactInline,)
    fieldsets = (
        (None, {"fields": ("job_type", "state_shown", "summary", "error", "progress_shown", "status_message")}),
        (
            "What was asked for",
            {"fields": ("input_shown", "metadata_shown", "schedule_shown", "priority", "callback_url", "owner")},
        ),
        ("When", {"fields": ("created_at", "due_at", "started_at", "finished_at", "cancel_requested_at")}),
        ("Where it ran", {"fields": ("attempts_made", "max_attempts", "run", "worker", "child_pid")}),
        ("What came of it", {"fields": ("result_shown", "log_shown")}),
    )

    @display(description="State", ordering="state", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_shown(self, job: Job) -> str:
        """Return the state, which the list shows in a colour."""
        return job.state

    @display(description="Accepted", ordering="id")  # type: ignore[untyped-decorator]
    def accepted(self, job: Job) -> str:
        """Return when the job was accepted."""
        return short_moment(job.created_at)

    @display(description="Ended")  # type: ignore[untyped-decorator]
    def ended(self, job: Job) -> str:
        """Return when the job ended."""
        return short_moment(job.finished_at)

    @display(description="Outcome")  # type: ignore[untyped-decorator]
    def outcome(self, job: Job) -> str:
        """Return what a job says of its success, or why it failed, short enough for the list."""
        return shorten(job.summary or job.error, OUTCOME_LENGTH, placeholder=" …")

    @display(description="Progress")  # type: ignore[untyped-decorator]
    def progress_shown(self, job: Job) -> str:
        """Return how far the job is, as the API says it."""
        return f"{100 if job.state == State.COMPLETED else job.progress} %"

    @display(description="Input")  # type: ignore[untyped-decorator]
    def input_shown(self, job: Job) -> str:
        """Return the input as JSON."""
        return as_json(job.input)

    @display(description="Metadata")  # type: ignore[untyped-decorator]
    def metadata_shown(self, job: Job) -> str:
        """Return the metadata as JSON."""
        return as_json(job.metadata)

    @display(description="Schedule")  # type: ignore[untyped-decorator]
    def schedule_shown(self, job: Job) -> str:
        """Return the schedule as JSON."""
        return as_json(job.schedule)

    @display(description="Result")  # type: ignore[untyped-decorator]
    def result_shown(self, job: Job) -> str:
        """Return the result as JSON."""
        return as_json(job.result)

    @display(description="Log")  # type: ignore[untyped-decorator]
    def log_shown(self, job: Job) -> str:
        """Return the last lines of the log."""
        lines = reversed(job.log_lines.order_by("-id")[:LINES])
        return preformatted("\n".join(f"{localtime(line.at):%H:%M:%S} {line.level} {line.message}" for line in lines))


def short_moment(moment: datetime | None) -> str:
    """Return a moment in the owner's zone, short enough for one line of the list."""
    return date_format(localtime(moment), "j M Y, H:i:s") if moment else ""


def as_json(value: Any) -> str:
    """Return a JSON value as text with its line breaks; None is left to the admin's dash."""
    return "" if value is None else preformatted(json.dumps(value, indent=2, ensure_ascii=False))


def preformatted(text: str) -> str:
    """Return text with its line breaks, escaped; what is empty is left to the admin's dash."""
    return format_html('<pre style="{}">{}</pre>', _WRAPPED, text) if text else ""
