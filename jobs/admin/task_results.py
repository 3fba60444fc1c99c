"""The runs of jobs as django-celery-results keeps them: for reading, each with a link to its job."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django_celery_results import admin as theirs  # registers its own, which ours takes the place of
from django_celery_results.models import TaskResult
from unfold.decorators import display

from jobs.admin.shown import between
from jobs.catalog import registered
from jobs.results import task_name
from jobs.selectors import is_id
from pirunner.admin_pages import ReadOnlyAdmin, admin_link, preformatted, short_moment
from pirunner.keyset_list import KeysetAdmin

COLOURS = {"completed": "success", "failed": "danger", "stopped": "warning", "running": "info"}
STATES = {"SUCCESS": "completed", "FAILURE": "failed", "REVOKED": "stopped", "STARTED": "running"}


class StateFilter(admin.SimpleListFilter):
    """By state, in our words."""

    title = "state"
    parameter_name = "status"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """Return the states."""
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult]:  # noqa: ARG002
        """Keep those of the state that was chosen."""
        return queryset.filter(status=self.value()) if self.value() in STATES else queryset


class TypeFilter(admin.SimpleListFilter):
    """By job type, without reading the table for the types that there are."""

    title = "job type"
    parameter_name = "task_name"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """Return the job types."""
        return [(task_name(name), name) for name in sorted(registered())]

    def queryset(self, request: HttpRequest, queryset: QuerySet[TaskResult]) -> QuerySet[TaskResult]:  # noqa: ARG002
        """Keep those of the type that was chosen."""
        return queryset.filter(task_name=self.value()) if self.value() else queryset


class TaskResultAdmin(ReadOnlyAdmin, KeysetAdmin):
    """Runs, newest first."""

    list_display = ("run", "state", "job", "started", "took", "worker")
    list_filter = (StateFilter, TypeFilter)
    search_fields = ("task_id",)
    search_help_text = "The number of a job, or a run like 12:1"
    fieldsets = (
        (None, {"fields": ("job", "state", "task_name", "worker", "started", "ended", "took")}),
        ("What came of it", {"fields": ("result_shown", "traceback_shown")}),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[TaskResult], search_term: str
    ) -> tuple[QuerySet[TaskResult], bool]:
        """Find the runs of a job by its number, or one run: by the index of the ids."""
        del request
        term = search_term.strip()
        if not term:
            return queryset, False
        if is_id(term):
            return queryset.filter(task_id__gte=f"{term}:", task_id__lt=f"{term};"), False
        return queryset.filter(task_id=term), False

    @display(description="Run", ordering="task_id")  # type: ignore[untyped-decorator]
    def run(self, row: TaskResult) -> str:
        """Return the id of the run."""
        return str(row.task_id)

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, row: TaskResult) -> str:
        """Return the state in our words."""
        return STATES.get(row.status, str(row.status).lower())

    @display(description="Job")  # type: ignore[untyped-decorator]
    def job(self, row: TaskResult) -> str:
        """Return a link to the job; "" for a task of somebody else."""
        number, colon, _ = row.task_id.partition(":")
        name = (row.task_name or "").removeprefix("jobs.")
        return admin_link("jobs_job_change", f"{name} {number}", number) if colon and is_id(number) else ""

    @display(description="Started")  # type: ignore[untyped-decorator]
    def started(self, row: TaskResult) -> str:
        """Return when it started."""
        return short_moment(row.date_started)

    @display(description="Ended")  # type: ignore[untyped-decorator]
    def ended(self, row: TaskResult) -> str:
        """Return when it ended, "" while it runs."""
        return "" if row.status == "STARTED" else short_moment(row.date_done)

    @display(description="Took")  # type: ignore[untyped-decorator]
    def took(self, row: TaskResult) -> str:
        """Return how long it ran, "" while it does."""
        is_over = row.date_started and row.date_done and row.status != "STARTED"
        return between(row.date_started, row.date_done) if is_over else ""

    @display(description="Result")  # type: ignore[untyped-decorator]
    def result_shown(self, row: TaskResult) -> str:
        """Return the result, or the error, as it was recorded."""
        return preformatted(row.result or "")

    @display(description="Traceback")  # type: ignore[untyped-decorator]
    def traceback_shown(self, row: TaskResult) -> str:
        """Return the traceback of a run that failed."""
        return preformatted(row.traceback or "")


def register() -> None:
    """Take the place of django-celery-results' own page."""
    if isinstance(admin.site.get_model_admin(TaskResult), theirs.TaskResultAdmin):
        admin.site.unregister(TaskResult)
        admin.site.register(TaskResult, TaskResultAdmin)
