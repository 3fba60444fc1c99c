"""Schedules in the admin: read, paused, resumed, run and deleted there; made and edited through the API."""

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.views import ChangeList

from jobs.admin import ReadOnlyAdmin, as_json, preformatted, short_moment
from pirunner.errors import ApiError
from schedules import admin_beat  # noqa: F401  (registers its own)
from schedules.admin_occurrences import OUTCOMES, OccurrenceInline, link
from schedules.firing import run_now
from schedules.models import AuditEntry, Occurrence, Schedule, Tombstone
from schedules.selectors import audit_of, latest_occurrences
from schedules.serializers import description_of
from schedules.services import delete_schedule, pause_schedule, resume_schedule

STATES = {"scheduled": "success", "paused": "warning", "over": "default"}
_BESIDE_THE_POINT = re.compile(", in the zone |, counted from ")
ENTRIES = 50
"""How many entries of the audit the page of a schedule shows."""


class ScheduleChangeList(ChangeList):  # type: ignore[misc]  # (unfold is untyped)
    """A page of schedules that knows the latest occurrence of each."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page, and the occurrences in one more query."""
        self.address = request.build_absolute_uri("/jobs")
        super().get_results(request)
        schedules: list[Any] = list(self.result_list)
        latest = latest_occurrences(schedules)
        for schedule in schedules:
            schedule.latest = latest.get(schedule.pk)
        self.result_list: Any = schedules


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """Schedules: those that are due next come first."""

    list_display = ("title", "job_type", "short_sentence", "zone", "next_due", "state", "last_outcome")
    list_filter = ("enabled", "backend", "job_type")
    search_fields = ("name", "public_id", "job_type")
    ordering = (F("next_due_at").asc(nulls_last=True), "-id")
    show_full_result_count = False
    actions = ("pause", "resume", "run")
    inlines = (OccurrenceInline,)
    change_form_outer_before_template = "admin/schedules/schedule/buttons.html"
    empty_template = "admin/schedules/schedule/empty.html"
    fieldsets = (
        (None, {"fields": ("name_shown", "state", "sentence", "next_due", "public_id", "mirror")}),
        (
            "What it submits",
            {
                "fields": (
                    *("job_type", "input_shown", "metadata_shown", "priority", "callback_url", "callback_events"),
                    *("concurrency_key", "on_conflict", "owner"),
                )
            },
        ),
        ("When", {"fields": ("timing_shown", "zone", "misfire", "overlap", "quiet_hours", "jitter_seconds")}),
        ("History", {"fields": ("created_at", "updated_at", "version", "audit", "more")}),
    )

    # -- what is shown ------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        """Return those that nobody has deleted."""
        return super().get_queryset(request).kept()  # type: ignore[no-any-return]

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ScheduleChangeList]:  # noqa: ARG002
        """Return the list that knows the latest occurrences."""
        return ScheduleChangeList

    @display(description="Name", ordering="name")  # type: ignore[untyped-decorator]
    def title(self, schedule: Schedule) -> str:
        """Return the name; the beginning of the id where there is none."""
        return schedule.name or f"{schedule.public_id[:14]}…"

    @display(description="Name")  # type: ignore[untyped-decorator]
    def name_shown(self, schedule: Schedule) -> str:
        """Return the name, empty if there is none."""
        return schedule.name

    @display(description="When")  # type: ignore[untyped-decorator]
    def sentence(self, schedule: Schedule) -> str:
        """Return when it is due, in English."""
        return description_of(schedule)

    @display(description="When")  # type: ignore[untyped-decorator]
    def short_sentence(self, schedule: Schedule) -> str:
        """Return the sentence without what other columns tell."""
        return _BESIDE_THE_POINT.split(description_of(schedule))[0]

    @display(description=f"Next due ({settings.TIME_ZONE})", ordering="next_due_at")  # type: ignore[untyped-decorator]
    def next_due(self, schedule: Schedule) -> str:
        """Return when it is due next, in the owner's zone."""
        return short_moment(schedule.next_due_at)

    @display(description="State", label=STATES)  # type: ignore[untyped-decorator]
    def state(self, schedule: Schedule) -> str:
        """Return whether it is scheduled, paused, or over because it will not be due again."""
        if not schedule.enabled:
            return "paused"
        return "scheduled" if schedule.next_due_at else "over"

    @display(description="Last outcome", label=OUTCOMES)  # type: ignore[untyped-decorator]
    def last_outcome(self, schedule: Any) -> tuple[str, str] | None:
        """Return what became of the latest due time, and why."""
        latest: Occurrence | None = schedule.latest
        if latest is None:
            return None
        reason = f" ({latest.reason.replace('_', ' ')})" if latest.reason else ""
        return latest.get_outcome_display(), f"{latest.get_outcome_display()}{reason}"

    @display(description="Input")  # type: ignore[untyped-decorator]
    def input_shown(self, schedule: Schedule) -> str:
        """Return the input as JSON."""
        return as_json(schedule.input)

    @display(description="Metadata")  # type: ignore[untyped-decorator]
    def metadata_shown(self, schedule: Schedule) -> str:
        """Return the metadata as JSON."""
        return as_json(schedule.metadata)

    @display(description="Schedule")  # type: ignore[untyped-decorator]
    def timing_shown(self, schedule: Schedule) -> str:
        """Return the schedule as the client wrote it."""
        return as_json(schedule.timing)

    @display(description="Quiet hours")  # type: ignore[untyped-decorator]
    def quiet_hours(self, schedule: Schedule) -> str:
        """Return the quiet hours, empty if there are none."""
        return f"{schedule.quiet_from} to {schedule.quiet_to}" if schedule.quiet_from else ""

    @display(description="In django-celery-beat")  # type: ignore[untyped-decorator]
    def mirror(self, schedule: Schedule) -> str:
        """Return a link to what django-celery-beat shows of it."""
        number = schedule.periodic_task_id
        return link("django_celery_beat_periodictask_change", "Periodic task", number) if number else ""

    @display(description="Audit")  # type: ignore[untyped-decorator]
    def audit(self, schedule: Schedule) -> str:
        """Return who did what, and when."""
        entries = audit_of(schedule, limit=ENTRIES)
        return preformatted(
            "\n".join(
                f"{localtime(entry.at):%Y-%m-%d %H:%M:%S}  {entry}{f': {entry.details}' if entry.details else ''}"
                for entry in entries
            )
        )

    @display(description="Occurrences")  # type: ignore[untyped-decorator]
    def more(self, schedule: Schedule) -> str:
        """Return a link to every occurrence."""
        query = f"?schedule__id__exact={schedule.pk}"
        return link("schedules_occurrence_changelist", "All of them", query=query)

    # -- what can be done ---------------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may delete schedules."""
        return bool(ModelAdmin.has_delete_permission(self, request, obj))

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may pause, resume and run: who may change schedules, though not in a form."""
        return bool(ModelAdmin.has_change_permission(self, request))

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> HttpResponse | None:
        """Pause those that are chosen."""
        return self._each(request, chosen, pause_schedule, "paused")

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> HttpResponse | None:
        """Resume those that are chosen."""
        return self._each(request, chosen, resume_schedule, "resumed")

    @admin.action(description="Run now", permissions=["operate"])
    def run(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> HttpResponse | None:
        """Submit a job of each that is chosen."""
        return self._each(request, chosen, run_now, "submitted")

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        """Delete a schedule; no program makes its name again."""
        delete_schedule(obj.pk, by=request.user.get_username(), in_person=True)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Delete those that are chosen."""
        for schedule in queryset:
            self.delete_model(request, schedule)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell what a deletion means; the occurrences need no permission of their own."""
        told = [f"{schedule}: {_consequence(schedule)}" for schedule in objs]
        lacking = set() if self.has_delete_permission(request) else {"schedule"}
        return told, {"schedules": len(told)}, lacking, []

    def change_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Show a schedule, with its buttons for those who may use them."""
        context = {**(kwargs.pop("extra_context", None) or {}), "may_operate": self.has_operate_permission(request)}
        return super().change_view(request, *args, extra_context=context, **kwargs)

    def _each(
        self, request: HttpRequest, chosen: QuerySet[Schedule], do: Callable[..., Any], done: str
    ) -> HttpResponse | None:
        count = 0
        for schedule in chosen:
            try:
                do(schedule.pk, by=request.user.get_username())
                count += 1
            except ApiError as error:
                self.message_user(request, str(error), messages.ERROR)
        if count:
            what = "job" if do is run_now else "schedule"
            self.message_user(request, f"{count} {what}{'' if count == 1 else 's'} {done}.", messages.SUCCESS)
        return _back(request)


def _back(request: HttpRequest) -> HttpResponse | None:
    """Return to the page of the schedule whose button was pressed; None leads to the list."""
    number = request.POST.get("back", "")
    if not (number.isascii() and number.isdigit()):
        return None
    return HttpResponseRedirect(reverse("admin:schedules_schedule_change", args=[number]))


def _consequence(schedule: Schedule) -> str:
    kept = "its jobs stay, its occurrences go"
    if not schedule.name:
        return f"{kept}."
    return f"{kept}, and no program can make a schedule of this name again until its tombstone is deleted."


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    """Names of schedules that people deleted."""

    list_display = ("name", "by", "at")
    search_fields = ("name",)
    ordering = ("name",)
    list_before_template = "admin/schedules/tombstone/explained.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may let programs make the name again."""
        return bool(ModelAdmin.has_delete_permission(self, request, obj))


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what to which schedule, newest first; also of those that are gone."""

    list_display = ("at", "action", "by", "name", "schedule_id", "details")
    search_fields = ("name", "schedule_id", "by")
    ordering = ("-id",)
    show_full_result_count = False
