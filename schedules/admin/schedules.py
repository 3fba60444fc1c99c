"""The schedules of the admin: the list, and the addresses of the pages."""

import re
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from unfold.decorators import display
from unfold.views import ChangeList

from pirunner.admin_pages import short_moment
from pirunner.own_page import OwnPageAdmin
from schedules.admin import form_pages, origins
from schedules.admin.acts import ACTS, confirm, consequence_of, delete_in_person, perform
from schedules.admin.page import context_of, state_of
from schedules.admin.preview_fragment import preview_fragment
from schedules.admin.words import OUTCOMES, outcome_in_words
from schedules.models import Occurrence, Schedule
from schedules.selectors import latest_occurrences
from schedules.serializers import description_of

_BESIDE_THE_POINT = re.compile(", in the zone |, counted from ")

origins.tell()


class ScheduleChangeList(ChangeList):  # type: ignore[misc]  # (unfold is untyped)
    """A page of schedules that knows the latest occurrence of each."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page, and the occurrences in one more query."""
        self.address = request.build_absolute_uri("/jobs")
        self.may_add = self.model_admin.has_add_permission(request)
        super().get_results(request)
        self.full_result_count = self.result_count  # the header counts for lists that are narrowed only
        schedules: list[Any] = list(self.result_list)
        latest = latest_occurrences(schedules)
        for schedule in schedules:
            schedule.latest = latest.get(schedule.pk)
        self.result_list: Any = schedules


class StateFilter(admin.SimpleListFilter):
    """Schedules by what the list calls their state."""

    title = "state"
    parameter_name = "state"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """Return the states."""
        return [("scheduled", "Scheduled"), ("paused", "Paused"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> QuerySet[Schedule]:  # noqa: ARG002
        """Keep those of the state that is chosen."""
        match self.value():
            case "paused":
                return queryset.filter(enabled=False)
            case "scheduled":
                return queryset.filter(enabled=True, next_due_at__isnull=False)
            case "over":
                return queryset.filter(enabled=True, next_due_at__isnull=True)
        return queryset


@admin.register(Schedule)
class ScheduleAdmin(OwnPageAdmin):
    """Schedules: those that are due next come first."""

    gone = "There is no such schedule; perhaps somebody deleted it."
    list_display = ("title", "short_sentence", "zone", "next_due", "last_outcome", "state")
    list_filter = (StateFilter, "backend", "job_type")
    list_filter_sheet = True
    search_fields = ("name", "public_id", "job_type")
    ordering = (F("next_due_at").asc(nulls_last=True), "-id")
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ("pause", "resume", "run")
    empty_template = "admin/schedules/schedule/empty.html"
    change_list_template = "admin/schedules/schedule/list.html"
    delete_confirmation_template = "admin/schedules/schedule/delete.html"

    # -- the list -----------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Schedule]:
        """Return those that nobody has deleted."""
        return super().get_queryset(request).kept()  # type: ignore[no-any-return]

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[ScheduleChangeList]:  # noqa: ARG002
        """Return the list that knows the latest occurrences."""
        return ScheduleChangeList

    @display(description="Name", ordering="name")  # type: ignore[untyped-decorator]
    def title(self, schedule: Schedule) -> str:
        """Return the name and the job type; the beginning of the id where there is no name."""
        name = schedule.name or f"{schedule.public_id[:14]}…"
        return format_html(
            '<span class="sc-two"><span class="pr-title">{}</span> <span class="pr-subtle sc-under">{}</span></span>',
            name,
            schedule.job_type,
        )

    @display(description="When")  # type: ignore[untyped-decorator]
    def short_sentence(self, schedule: Schedule) -> str:
        """Return the sentence without what other columns tell."""
        return _BESIDE_THE_POINT.split(description_of(schedule))[0]

    @display(description="Next fire", ordering="next_due_at")  # type: ignore[untyped-decorator]
    def next_due(self, schedule: Schedule) -> str:
        """Return when it is due next: how soon, and when by the owner's clock."""
        due = schedule.next_due_at
        if due is None:
            return ""
        told = (
            '<span class="sc-two"><time class="pr-strong" data-until datetime="{}">{}</time> '
            '<span class="pr-subtle sc-under">{}</span></span>'
        )
        return format_html(told, due.isoformat(), short_moment(due), short_moment(due))

    @display(description="State")  # type: ignore[untyped-decorator]
    def state(self, schedule: Schedule) -> str:
        """Return whether it is scheduled, paused, or over because it will not be due again."""
        state = state_of(schedule)
        return format_html('<span class="pr-badge" data-state="{0}">{0}</span>', state)

    @display(description="Last outcome")  # type: ignore[untyped-decorator]
    def last_outcome(self, schedule: Any) -> str:
        """Return what became of the latest due time, and why."""
        latest: Occurrence | None = schedule.latest
        if latest is None:
            return ""
        badge = '<span class="pr-badge" data-state="{}" title="{}">{}</span>'
        said = outcome_in_words(latest.outcome, latest.reason)
        return format_html(badge, latest.outcome, said, OUTCOMES.get(latest.outcome, latest.outcome))

    # -- the pages ----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages, before Django's own."""
        wrap = self.admin_site.admin_view
        return [
            path("preview/", wrap(self.preview_view), name="schedules_schedule_preview"),
            path("inputs/", wrap(self.inputs_view), name="schedules_schedule_inputs"),
            path("<int:number>/edit/", wrap(self.edit_view), name="schedules_schedule_edit"),
            path("<int:number>/act/", wrap(self.act_view), name="schedules_schedule_act"),
            *super().get_urls(),
        ]

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ARG002
        """Show the form of a new schedule, or make it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        return form_pages.add_page(request, self._context(request, title="New schedule"))

    def edit_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Show the form of a schedule, or save it."""
        schedule = self._found(request, number)
        if not self.has_change_permission(request, schedule):
            raise PermissionDenied
        context = self._context(request, title="Edit", original=schedule, subtitle=str(schedule))
        return form_pages.edit_page(request, context, schedule)

    def page_of(self, request: HttpRequest, schedule: Schedule) -> HttpResponse:
        """Show a schedule; it is edited on a page of its own."""
        context = {
            **self._context(request, title=str(schedule), original=schedule),
            **context_of(schedule),
            "may_operate": self.has_change_permission(request, schedule),
            "may_delete": self.has_delete_permission(request, schedule),
            "may_see_jobs": request.user.has_perm("jobs.view_job"),
            "may_see_occurrences": request.user.has_perm("schedules.view_occurrence"),
            "may_see_beat": request.user.has_perm("django_celery_beat.view_periodictask"),
        }
        return TemplateResponse(request, "admin/schedules/schedule/page.html", context)

    def act_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Pause, resume or run one schedule, and go back to its page."""
        schedule = self._found(request, number)
        if not self.has_change_permission(request, schedule):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        act = ACTS.get(request.POST.get("act", ""))
        if act is None:
            raise Http404
        perform(request, act, [schedule])
        return HttpResponseRedirect(reverse("admin:schedules_schedule_change", args=[schedule.pk]))

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Answer what the form says so far."""
        self._check_may_write(request)
        return preview_fragment(request)

    def inputs_view(self, request: HttpRequest) -> HttpResponse:
        """Answer with the input fields of a job type."""
        self._check_may_write(request)
        return form_pages.input_fragment(request)

    # -- what is done to many -----------------------------------------------------------------------------------

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Return whether this person may pause, resume and run."""
        return bool(self.has_change_permission(request))

    @admin.action(description="Pause", permissions=["operate"])
    def pause(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> HttpResponse | None:
        """Pause those that are chosen."""
        return confirm(request, ACTS["pause"], chosen, self._context(request))

    @admin.action(description="Resume", permissions=["operate"])
    def resume(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> HttpResponse | None:
        """Resume those that are chosen."""
        return confirm(request, ACTS["resume"], chosen, self._context(request))

    @admin.action(description="Run now", permissions=["operate"])
    def run(self, request: HttpRequest, chosen: QuerySet[Schedule]) -> HttpResponse | None:
        """Submit a job of each that is chosen."""
        return confirm(request, ACTS["run"], chosen, self._context(request))

    def delete_model(self, request: HttpRequest, obj: Schedule) -> None:
        """Delete a schedule; no program makes its name again."""
        delete_in_person(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Delete those that are chosen."""
        for schedule in queryset:
            delete_in_person(request, schedule)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Schedule]) -> None:
        """Write nothing: the audit of the schedules has it."""

    def log_deletion(self, request: HttpRequest, obj: Schedule, object_repr: str) -> None:
        """Write nothing: the audit of the schedules has it."""

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Tell what a deletion means; the occurrences need no permission of their own."""
        told = [f"{schedule}: {consequence_of(schedule)}" for schedule in objs]
        lacking = set() if self.has_delete_permission(request) else {"schedule"}
        return told, {"schedules": len(told)}, lacking, []

    def _context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        context = {**self.admin_site.each_context(request), "opts": self.model._meta}  # noqa: SLF001  (documented)
        return {**context, "may_add": self.has_add_permission(request), **more}

    def _found(self, request: HttpRequest, number: int) -> Schedule:
        return get_object_or_404(self.get_queryset(request), pk=number)

    def _check_may_write(self, request: HttpRequest) -> None:
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
