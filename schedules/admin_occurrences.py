"""Due times and what became of them in the admin, for reading."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline
from unfold.decorators import display

from jobs.admin import ReadOnlyAdmin, short_moment
from schedules.models import Occurrence
from schedules.rules import Reason

OUTCOMES = {"fired": "success", "caught up": "info", "skipped": "warning"}
LATEST = 50
"""How many occurrences the page of a schedule shows."""


def link(view: str, text: Any, *args: Any, query: str = "") -> str:
    """Return a link to a page of the admin."""
    address = reverse(f"admin:{view}", args=args) + query
    return format_html('<a class="text-primary-600 underline dark:text-primary-500" href="{}">{}</a>', address, text)


class OccurrenceColumns:
    """How an occurrence is shown, in lists and on the page of its schedule."""

    @display(description="Due", ordering="due_at")  # type: ignore[untyped-decorator]
    def due(self, occurrence: Occurrence) -> str:
        """Return the due time, or the first and the last of those that share the row."""
        first, last = short_moment(occurrence.due_at), short_moment(occurrence.until_due_at)
        return first if occurrence.count == 1 else f"{first} to {last}"

    @display(description="Outcome", ordering="outcome", label=OUTCOMES)  # type: ignore[untyped-decorator]
    def outcome_shown(self, occurrence: Occurrence) -> str:
        """Return the outcome, which lists show in a colour."""
        return occurrence.get_outcome_display()

    @display(description="Reason", ordering="reason")  # type: ignore[untyped-decorator]
    def reason_shown(self, occurrence: Occurrence) -> str:
        """Return the reason in words."""
        return occurrence.reason.replace("_", " ")

    @display(description="Job")  # type: ignore[untyped-decorator]
    def job(self, occurrence: Occurrence) -> str:
        """Return a link to the job that was submitted."""
        number = occurrence.job_id
        return "" if number is None else link("jobs_job_change", number, number)

    @display(description="Times")  # type: ignore[untyped-decorator]
    def times(self, occurrence: Occurrence) -> str:
        """Return how many due times the row is for."""
        return f"{occurrence.count:,}"

    @display(description="Recorded")  # type: ignore[untyped-decorator]
    def recorded(self, occurrence: Occurrence) -> str:
        """Return when the row was written."""
        return short_moment(occurrence.recorded_at)


class LatestFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The latest rows only: a schedule may have a million."""

    def get_queryset(self) -> Any:
        """Return the latest rows."""
        if not hasattr(self, "_queryset"):
            self._queryset = super().get_queryset()[:LATEST]
        return self._queryset


class OccurrenceInline(OccurrenceColumns, TabularInline):  # type: ignore[misc]  # (unfold is untyped)
    """The latest occurrences of a schedule."""

    model = Occurrence
    formset = LatestFormSet
    ordering = ("-due_at",)
    fields = readonly_fields = ("due", "outcome_shown", "reason_shown", "times", "job", "recorded")
    verbose_name_plural = f"The latest {LATEST} occurrences"
    hide_title = True
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Nobody adds an occurrence by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Nobody edits an occurrence by hand."""
        return False

    def has_view_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Who sees the schedule sees what became of it."""
        return True


class ReasonFilter(admin.SimpleListFilter):
    """Occurrences by their reason, without reading the table for the reasons that there are."""

    title = "reason"
    parameter_name = "reason"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """Return every reason that there may be."""
        return [(reason.value, reason.value.replace("_", " ")) for reason in Reason if reason]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Occurrence]) -> QuerySet[Occurrence]:  # noqa: ARG002
        """Keep those of the reason that is chosen."""
        return queryset.filter(reason=self.value()) if self.value() else queryset


@admin.register(Occurrence)
class OccurrenceAdmin(OccurrenceColumns, ReadOnlyAdmin):
    """Due times and what became of them, newest first."""

    list_display = ("due", "of", "outcome_shown", "reason_shown", "times", "job", "recorded")
    list_filter = ("outcome", ReasonFilter)
    list_select_related = ("schedule",)
    show_full_result_count = False
    fields = ("of", "due", "outcome_shown", "reason_shown", "times", "job", "recorded")

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Return the order that has an index."""
        return ("-due_at",) if "schedule__id__exact" in request.GET else ("-id",)

    @display(description="Schedule")  # type: ignore[untyped-decorator]
    def of(self, occurrence: Occurrence) -> str:
        """Return a link to the schedule; only its name if it has been deleted."""
        schedule = occurrence.schedule
        name = schedule.name or f"{schedule.job_type} ({schedule.public_id[:14]}…)"
        return f"{name} (deleted)" if schedule.deleted_at else link("schedules_schedule_change", name, schedule.pk)
