"""The form of a schedule: what is typed and chosen, before it becomes the body of an API call.

Only what no body could say is refused here, such as a kind without its time; all else the API's own checks decide.
"""

import zoneinfo
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from jobs.catalog import allowed
from schedules.admin.words import BACKENDS, MISFIRES, OVERLAPS
from schedules.models import Schedule
from schedules.rules import Backend, Misfire, Overlap
from schedules.submissions import LONGEST_NAME

KINDS = (
    ("cron", "By a cron", "at times of day, on days of the week or month"),
    ("every", "Every so often", "every 10 minutes, every 2 days"),
    ("once", "Once", "at one moment"),
)
UNITS = (("seconds", 1), ("minutes", 60), ("hours", 3600), ("days", 86_400), ("weeks", 604_800))
PRESETS = (
    ("0 * * * *", "Every hour"),
    ("*/15 * * * *", "Every 15 minutes"),
    ("0 9 * * *", "Daily 9:00"),
    ("0 9 * * 1-5", "Weekdays 9:00"),
    ("0 18 * * 5", "Fridays 18:00"),
    ("0 7 1 * *", "First of the month 7:00"),
)
EVENTS = (
    ("job.started", "a job starts"),
    ("job.progress", "a job tells of its progress"),
    ("schedule.missed", "due times were missed"),
    ("runner.recovered", "a job was taken over from a worker that died"),
)
"""What may be asked for besides the ends of jobs, which are always told."""

MORE = (
    *("start_at", "end_at", "misfire", "overlap", "quiet_from", "quiet_to", "jitter_seconds"),
    *("priority", "callback_url", "callback_events"),
)
"""The rarer fields, folded away unless one of them is set or wrong."""


class ScheduleForm(forms.Form):
    """What, when, and by which rules. ``fixed`` is the schedule that is being edited."""

    name = forms.CharField(
        required=False,
        max_length=LONGEST_NAME,
        label="Name",
        help_text="By which you and programs find it again. It may be left empty.",
        widget=UnfoldAdminTextInputWidget({"placeholder": "morning-brief", "autocomplete": "off"}),
    )
    job_type = forms.ChoiceField(label="Job type", widget=UnfoldAdminSelectWidget())
    kind = forms.ChoiceField(
        label="When", choices=[(kind, label) for kind, label, _ in KINDS], widget=forms.RadioSelect
    )
    cron = forms.CharField(
        required=False,
        max_length=500,
        label="Cron",
        help_text="Five fields: minute, hour, day of month, month, day of week.",
        widget=UnfoldAdminTextInputWidget(
            {"placeholder": "0 9 * * 1-5", "autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}
        ),
    )
    every_number = forms.FloatField(
        required=False, label="Every", widget=UnfoldAdminDecimalFieldWidget({"step": "any", "min": "0"})
    )
    every_unit = forms.ChoiceField(
        required=False, label="Unit", choices=[(unit, unit) for unit, _ in UNITS], widget=UnfoldAdminSelectWidget()
    )
    run_at = forms.CharField(required=False, label="At", widget=UnfoldAdminTextInputWidget())
    zone = forms.CharField(
        label="Time zone",
        max_length=64,
        help_text="The clock that its times are read on, like Europe/Berlin. Type to search.",
        widget=UnfoldAdminTextInputWidget(
            {"list": "zones", "autocomplete": "off", "spellcheck": "false", "placeholder": "Europe/Berlin"}
        ),
    )
    backend = forms.ChoiceField(
        label="Who rings",
        choices=[(Backend.CELERY.value, "pirunner's clock"), (Backend.SYSTEMD.value, "systemd")],
        widget=forms.RadioSelect,
    )
    start_at = forms.CharField(
        required=False,
        label="Not before",
        help_text="Its first possible time. For an interval, the moment that it is counted from.",
        widget=UnfoldAdminTextInputWidget(),
    )
    end_at = forms.CharField(
        required=False,
        label="Not after",
        help_text="Its last possible time.",
        widget=UnfoldAdminTextInputWidget(),
    )
    misfire = forms.ChoiceField(
        label="If due times were missed",
        choices=list(MISFIRES.items()),
        initial=Misfire.ONCE.value,
        help_text="While pirunner was off, or the schedule was paused.",
        widget=UnfoldAdminSelectWidget(),
    )
    overlap = forms.ChoiceField(
        label="If the last job still runs",
        choices=list(OVERLAPS.items()),
        initial=Overlap.SKIP.value,
        help_text="What becomes of the next due time.",
        widget=UnfoldAdminSelectWidget(),
    )
    quiet_from = forms.CharField(
        required=False,
        label="Quiet from",
        help_text="Nothing fires between these two times of day, in the zone above; past midnight is fine.",
        widget=UnfoldAdminTextInputWidget(),
    )
    quiet_to = forms.CharField(required=False, label="Quiet to", widget=UnfoldAdminTextInputWidget())
    jitter_seconds = forms.FloatField(
        required=False,
        label="Jitter, in seconds",
        help_text="Each job starts up to so much later, so that many schedules do not start at one instant.",
        widget=UnfoldAdminDecimalFieldWidget({"step": "any", "min": "0", "max": "3600", "placeholder": "0"}),
    )
    priority = forms.IntegerField(
        label="Priority",
        initial=5,
        help_text="1 is the most urgent, 10 the least.",
        widget=UnfoldAdminIntegerFieldWidget({"min": "1", "max": "10"}),
    )
    callback_url = forms.CharField(
        required=False,
        max_length=2048,
        label="Callback address",
        help_text="Who is told when a job ends. Left empty: CALLBACK_URL, if that is set.",
        widget=UnfoldAdminTextInputWidget({"placeholder": "https://agent.example/hook", "inputmode": "url"}),
    )
    callback_events = forms.MultipleChoiceField(
        required=False,
        label="Also tell when",
        choices=EVENTS,
        help_text="That a job completed, failed or was cancelled is always told.",
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )

    def __init__(self, *args: Any, fixed: Schedule | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fixed = fixed
        self.choose_types()
        self.fields["backend"].required = fixed is None
        for name, kind in (
            *((name, "datetime-local") for name in ("run_at", "start_at", "end_at")),
            *((name, "time") for name in ("quiet_from", "quiet_to")),
        ):
            widget: Any = self.fields[name].widget
            widget.input_type = kind
            if kind == "datetime-local" and _has_seconds(self.initial.get(name)):
                widget.attrs["step"] = "1"

    def choose_types(self) -> None:
        """Offer the job types that may run, and the one that the schedule has even if it may not."""
        names = set(allowed())
        if self.fixed:
            names.add(self.fixed.job_type)
        field: Any = self.fields["job_type"]
        field.choices = [("", "Choose one"), *((name, name) for name in sorted(names))]

    def clean(self) -> dict[str, Any]:
        """Refuse a kind without its time."""
        cleaned = self.cleaned_data
        field, message = {
            "cron": ("cron", "Write a cron, like 0 9 * * 1-5, or take one of those below."),
            "every": ("every_number", "Say how often: a number, and its unit."),
            "once": ("run_at", "Say when."),
        }.get(cleaned.get("kind", ""), ("", ""))
        if field and field not in self.errors and not cleaned.get(field):
            self.add_error(field, message)
        if bool(cleaned.get("quiet_from")) != bool(cleaned.get("quiet_to")):
            self.add_error("quiet_from", "Quiet hours have a beginning and an end; give both, or neither.")
        return cleaned

    @property
    def is_more_open(self) -> bool:
        """Whether one of the rarer fields is set or wrong, so that they are shown."""
        blank = blank_values()
        return any(name in self.errors or self[name].value() not in (None, "", [], blank.get(name)) for name in MORE)


def blank_values() -> dict[str, Any]:
    """Return what the form of a new schedule begins with."""
    return {
        "kind": "cron",
        "every_unit": "minutes",
        "zone": settings.TIME_ZONE,
        "backend": Backend.CELERY.value,
        "misfire": Misfire.ONCE.value,
        "overlap": Overlap.SKIP.value,
        "priority": 5,
    }


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """Return the names of the time zones that people look for."""
    left_out = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    names = (name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith(left_out))
    return ("UTC", *sorted(names))


def explained(field: str) -> Mapping[str, str]:
    """Return the sentence beside each choice of a field."""
    return {kind: text for kind, _, text in KINDS} if field == "kind" else BACKENDS


def _has_seconds(written: Any) -> bool:
    return isinstance(written, str) and written.count(":") > 1
