"""Due times and what became of them in the admin, for reading."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from pirunner.admin_pages import ReadOnlyAdmin, admin_link, short_moment
from pirunner.keyset_list import KeysetAdmin
from schedules.admin.words import OUTCOMES, reason_in_words
from schedules.models import Occurrence
from schedules.rules import Reason


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
class OccurrenceAdmin(KeysetAdmin, ReadOnlyAdmin):
    """Due times and what became of them, newest first; a schedule may have a million."""

    list_display = ("due", "of", "outcome_shown", "reason_shown", "times", "job", "recorded")
    list_filter = ("outcome", ReasonFilter)
    list_filter_sheet = True
    list_select_related = ("schedule",)
    empty_template = "admin/schedules/occurrence/empty.html"
    fields = ("of", "due", "outcome_shown", "reason_shown", "times", "job", "recorded")

    def keyset_of(self, request: HttpRequest) -> str:
        """Return the order that has an index: within one schedule that of the due times."""
        return "due_at" if "schedule__id__exact" in request.GET else "pk"

    @display(description="Due")  # type: ignore[untyped-decorator]
    def due(self, occurrence: Occurrence) -> str:
        """Return the due time, or the first and the last of those that share the row."""
        first, last = short_moment(occurrence.due_at), short_moment(occurrence.until_due_at)
        return first if occurrence.count == 1 else f"{first} to {last}"

    @display(description="Schedule")  # type: ignore[untyped-decorator]
    def of(self, occurrence: Occurrence) -> str:
        """Return a link to the schedule; only its name if it has been deleted."""
        schedule = occurrence.schedule
        name = schedule.name or f"{schedule.job_type} ({schedule.public_id[:14]}…)"
        return (
            f"{name} (deleted)" if schedule.deleted_at else admin_link("schedules_schedule_change", name, schedule.pk)
        )

    @display(description="Outcome")  # type: ignore[untyped-decorator]
    def outcome_shown(self, occurrence: Occurrence) -> str:
        """Return the outcome, in a colour and in a word."""
        badge = '<span class="pr-badge" data-state="{}">{}</span>'
        return format_html(badge, occurrence.outcome, OUTCOMES.get(occurrence.outcome, occurrence.outcome))

    @display(description="Why")  # type: ignore[untyped-decorator]
    def reason_shown(self, occurrence: Occurrence) -> str:
        """Return the reason in words."""
        return reason_in_words(occurrence.reason)

    @display(description="Times")  # type: ignore[untyped-decorator]
    def times(self, occurrence: Occurrence) -> str:
        """Return how many due times the row is for."""
        return f"{occurrence.count:,}"

    @display(description="Job")  # type: ignore[untyped-decorator]
    def job(self, occurrence: Occurrence) -> str:
        """Return a link to the job that was submitted."""
        number = occurrence.job_id
        return "" if number is None else admin_link("jobs_job_change", number, number)

    @display(description="Recorded")  # type: ignore[untyped-decorator]
    def recorded(self, occurrence: Occurrence) -> str:
        """Return when the row was written."""
        return short_moment(occurrence.recorded_at)
