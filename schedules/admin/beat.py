"""django-celery-beat's own pages, in unfold's looks; what pirunner keeps there can be switched off and on, no more."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django_celery_beat import admin as beat
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from pirunner.admin_pages import admin_link, person_of
from pirunner.errors import ApiError
from schedules.firing import run_now
from schedules.mirror import TASK
from schedules.models import Schedule
from schedules.serializers import description_of
from schedules.services import pause_schedule, resume_schedule


def is_ours(task: PeriodicTask | None) -> bool:
    """Return whether a task is what django-celery-beat shows of a schedule."""
    return task is not None and task.pk is not None and task.task == TASK


def schedule_of(task: PeriodicTask) -> Schedule | None:
    """Return the schedule that a task shows."""
    return Schedule.objects.kept().filter(periodic_task=task.pk).first()


class TaskSelect(UnfoldAdminSelectWidget, beat.TaskSelectWidget):  # type: ignore[misc]  # (both are untyped)
    """The names of the tasks to choose from, without the one that shows our schedules."""

    def tasks_as_choices(self) -> tuple[tuple[str, str], ...]:
        """Return the names."""
        return tuple(choice for choice in super().tasks_as_choices() if choice[0] != TASK)


class OwnTaskForm(beat.PeriodicTaskForm):  # type: ignore[misc]  # (django-celery-beat is untyped)
    """The form of a task that an owner adds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelect()

    def clean(self) -> Any:
        """Refuse a task that would never run: the clock leaves those of this name to the schedules."""
        cleaned = super().clean()
        if cleaned.get("task") == TASK:
            self.add_error("task", f"{TASK} is for pirunner's own schedules; make one on the Schedules page.")
        return cleaned


class SwitchForm(forms.ModelForm):  # type: ignore[type-arg]
    """The form of what is ours."""

    class Meta:
        model = PeriodicTask
        fields = ("enabled",)


class PeriodicTaskInline(TabularInline):  # type: ignore[misc]  # (unfold is untyped)
    """The tasks of a crontab, interval or moment."""

    model = PeriodicTask
    fields = readonly_fields = ("name", "task", "args", "kwargs")
    verbose_name = verbose_name_plural = "Periodic tasks using this schedule"
    show_change_link = True
    can_delete = False
    extra = 0

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Tasks are added on their own page."""
        return False


for model in (PeriodicTask, ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, ModelAdmin):  # type: ignore[misc]  # (both are untyped)
    """The owner's own tasks, as django-celery-beat has them, and what shows our schedules."""

    form = OwnTaskForm
    date_hierarchy = None
    list_display = ("name", "kept_by", "enabled", "scheduler", "last_run_at", "one_off")
    list_filter = ("enabled", "one_off")
    show_full_result_count = False

    @display(description="Kept by")  # type: ignore[untyped-decorator]
    def kept_by(self, task: PeriodicTask) -> str:
        """Return who decides about the task."""
        state, keeper = ("active", "pirunner") if is_ours(task) else ("off", "you")
        return format_html('<span class="pr-badge" data-state="{}">{}</span>', state, keeper)

    @display(description="Note")  # type: ignore[untyped-decorator]
    def note(self, task: PeriodicTask) -> str:
        """Return where a task of ours is changed."""
        schedule = schedule_of(task)
        if schedule is None:
            return "Its schedule has been deleted; pirunner removes this soon."
        return format_html(
            "pirunner keeps and fires this. Here it can be switched off and on; for all else see the schedule {}.",
            admin_link("schedules_schedule_change", schedule, schedule.pk),
        )

    @display(description="When")  # type: ignore[untyped-decorator]
    def sentence(self, task: PeriodicTask) -> str:
        """Return when our schedule is due."""
        schedule = schedule_of(task)
        return description_of(schedule) if schedule else ""

    @display(description="Shown as")  # type: ignore[untyped-decorator]
    def shown_as(self, task: PeriodicTask) -> str:
        """Return the crontab, interval or moment that stands for our schedule here."""
        return str(task.scheduler)

    # -- the page ---------------------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form with the switch for what is ours, else the whole one."""
        if not is_ours(obj):
            return super().get_form(request, obj, change, **kwargs)
        return super().get_form(request, obj, change, **{**kwargs, "form": SwitchForm})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the few fields of what is ours, else all."""
        if not is_ours(obj):
            return super().get_fieldsets(request, obj)
        return ((None, {"fields": ("note", "enabled", "sentence", "shown_as")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return everything but the switch for what is ours."""
        if not is_ours(obj):
            return super().get_readonly_fields(request, obj)
        return ("note", "sentence", "shown_as")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Leave out the button that would add another one of ours."""
        more = {"show_save_and_add_another": False} if is_ours(kwargs.get("obj")) else {}
        return super().render_change_form(request, {**context, **more}, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: PeriodicTask, form: Any, change: Any) -> None:
        """Switch the schedule; the task follows it."""
        if is_ours(obj):
            self._switch(request, obj, on=obj.enabled)
        else:
            super().save_model(request, obj, form, change)

    # -- what is deleted --------------------------------------------------------------------------------------------

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may delete a task; nobody deletes ours here."""
        allowed = bool(super().has_delete_permission(request, obj))
        return allowed and not (isinstance(obj, PeriodicTask) and is_ours(obj))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name those of ours as protected, which keeps the others from being deleted with them."""
        ours = [task for task in objs if is_ours(task)]
        told, counts, lacking, protected = super().get_deleted_objects(objs, request)
        if ours:
            lacking = set() if self.has_delete_permission(request) else lacking
        return told, counts, lacking, [*protected, *map(_protected, ours)]

    # -- what is done to many -----------------------------------------------------------------------------------------

    @admin.action(description="Enable selected tasks", permissions=["change"])
    def enable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Enable the owner's tasks, and resume schedules."""
        for task in queryset.filter(task=TASK):
            self._switch(request, task, on=True)
        self._with_others(request, queryset, super().enable_tasks)

    @admin.action(description="Disable selected tasks", permissions=["change"])
    def disable_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Disable the owner's tasks, and pause schedules."""
        for task in queryset.filter(task=TASK):
            self._switch(request, task, on=False)
        self._with_others(request, queryset, super().disable_tasks)

    @admin.action(description="Toggle activity of selected tasks", permissions=["change"])
    def toggle_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Disable what is enabled, and enable what is disabled."""
        for task in queryset.filter(task=TASK):
            self._switch(request, task, on=not task.enabled)
        self._with_others(request, queryset, super().toggle_tasks)

    @admin.action(description="Run selected tasks", permissions=["change"])
    def run_tasks(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Run the owner's tasks, and submit jobs of schedules."""
        for task in queryset.filter(task=TASK):
            self._do(request, task, run_now, "A job of {} was submitted.")
        self._with_others(request, queryset, super().run_tasks)

    def _with_others(self, request: HttpRequest, queryset: QuerySet[Any], action: Any) -> None:
        others = queryset.exclude(task=TASK)
        if others.exists():
            action(request, others)

    def _switch(self, request: HttpRequest, task: PeriodicTask, *, on: bool) -> None:
        self._do(request, task, *((resume_schedule, "{} is on.") if on else (pause_schedule, "{} is off.")))

    def _do(self, request: HttpRequest, task: PeriodicTask, do: Any, done: str) -> None:
        schedule = schedule_of(task)
        try:
            if schedule is not None:
                do(schedule.pk, by=person_of(request))
                self.message_user(request, done.format(schedule), messages.SUCCESS)
        except ApiError as error:
            self.message_user(request, str(error), messages.ERROR)


def _protected(task: PeriodicTask) -> str:
    schedule = schedule_of(task)
    if schedule is None:
        return str(task)
    page = admin_link("schedules_schedule_delete", "its own page", schedule.pk)
    return format_html("A schedule of pirunner, to be deleted on {}: {}", page, schedule)


class _WithTasks(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """What several tasks may share; changed under them, a schedule of ours finds another one."""

    inlines = (PeriodicTaskInline,)
    model: type[Model]


@admin.register(IntervalSchedule)
class IntervalScheduleAdmin(_WithTasks):
    """Intervals."""


@admin.register(CrontabSchedule)
class CrontabScheduleAdmin(_WithTasks):
    """Crontabs."""

    list_display = ("__str__", "human_readable")
    fields = ("human_readable", "minute", "hour", "day_of_month", "month_of_year", "day_of_week", "timezone")
    readonly_fields = ("human_readable",)


@admin.register(SolarSchedule)
class SolarScheduleAdmin(_WithTasks):
    """Sunrises and the like."""


@admin.register(ClockedSchedule)
class ClockedScheduleAdmin(_WithTasks):
    """Single moments."""

    list_display = fields = ("clocked_time",)
