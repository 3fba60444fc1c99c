"""What recurs (schedules), and what became of each time that it was due (occurrences).

A schedule is found by ``next_due_at``. All that fires it locks its row, so that two clocks, a trigger and a person
take turns; ``covered_until`` tells up to when its due times have rows, and the unique occurrence is the backstop.
"""

from enum import StrEnum

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django_celery_beat.models import PeriodicTask

from pirunner.errors import NotFound
from pirunner.fields import JsonTextField
from schedules.rules import Backend, Misfire, Outcome, Overlap


def _choices(values: type[StrEnum]) -> list[tuple[str, str]]:
    return [(value.value, value.value.replace("_", " ")) for value in values]


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    """Reads of schedules."""

    def kept(self) -> "ScheduleQuerySet":
        """Keep those that nobody has deleted."""
        return self.filter(RawSQL("schedules_schedule.deleted_at IS NULL", (), models.BooleanField()))

    def named(self, name: str) -> "ScheduleQuerySet":
        """Keep the one that has this name, which is not empty, and that nobody has deleted."""
        # SQLite takes the index of the names only if its condition is there in the same words.
        return self.kept().filter(RawSQL("NOT (schedules_schedule.name = '')", (), models.BooleanField()), name=name)

    def locked(self, schedule_id: int) -> "Schedule":
        """Return the row of a key, locked until the transaction ends; raises ``NotFound`` if it has been deleted."""
        schedule = self.select_for_update(of=("self",)).kept().filter(pk=schedule_id).first()
        if schedule is None:
            raise NotFound("The schedule has been deleted.")
        return schedule


class Schedule(models.Model):
    """A job to submit again and again: what, when, and by which rules."""

    public_id = models.CharField(max_length=45, unique=True, help_text="As the API knows it.")
    name = models.CharField(max_length=200, blank=True, default="", help_text="Unique, or empty.")
    owner = models.CharField(max_length=100, help_text="The token that made it.")
    backend = models.CharField(max_length=10, choices=_choices(Backend), default=Backend.CELERY)
    backend_alias = models.CharField(max_length=10, help_text="As the client called it.")
    enabled = models.BooleanField(default=True)
    paused_at = models.DateTimeField(null=True)

    job_type = models.CharField(max_length=100)
    input = JsonTextField()
    priority = models.PositiveSmallIntegerField(help_text="1 (most urgent) to 10.")
    metadata = JsonTextField(null=True)
    concurrency_key = models.CharField(max_length=200, blank=True, default="")
    on_conflict = models.CharField(max_length=10, default="queue")
    callback_url = models.TextField(blank=True, default="", help_text="Empty: the CALLBACK_URL setting.")
    callback_events = models.CharField(max_length=200, blank=True, default="")

    timing = JsonTextField(help_text="The schedule as the client wrote it.")
    cron = models.CharField(max_length=500, blank=True, default="")
    every_seconds = models.FloatField(null=True)
    zone = models.CharField(max_length=64)
    first_at = models.DateTimeField(null=True, help_text="An interval's anchor, a cron's start, or the one time.")
    end_at = models.DateTimeField(null=True)
    misfire = models.CharField(max_length=10, choices=_choices(Misfire), default=Misfire.ONCE)
    overlap = models.CharField(max_length=10, choices=_choices(Overlap), default=Overlap.SKIP)
    quiet_from = models.CharField(max_length=5, blank=True, default="")
    quiet_to = models.CharField(max_length=5, blank=True, default="")
    jitter_seconds = models.FloatField(default=0.0)

    next_due_at = models.DateTimeField(null=True, help_text="Null while it is paused, and when it is over.")
    covered_until = models.DateTimeField(help_text="Due times up to here have their rows.")
    standing = models.CharField(max_length=600, blank=True, default="", help_text="See schedules.standing.")
    version = models.PositiveIntegerField(default=1, help_text="Counts the edits; the ETag.")
    manifest_version = models.PositiveIntegerField(default=0, help_text="The version that systemd's manifest tells of.")
    periodic_task = models.OneToOneField(PeriodicTask, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True, help_text="Its occurrences are removed little by little.")

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["name"], name="schedule_name_once", condition=~Q(name="") & Q(deleted_at__isnull=True)
            ),
            models.CheckConstraint(name="schedule_priority_1_to_10", condition=Q(priority__gte=1, priority__lte=10)),
        ]
        indexes = [
            models.Index(
                fields=["backend", "next_due_at"], name="schedule_due", condition=Q(next_due_at__isnull=False)
            ),
            models.Index(fields=["deleted_at"], name="schedule_deleted", condition=Q(deleted_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name or f"{self.job_type} ({self.public_id})"


class Occurrence(models.Model):
    """One due time of a schedule, or neighbours that were skipped for one reason, and what became of it."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="occurrences", db_index=False)
    due_at = models.DateTimeField()
    until_due_at = models.DateTimeField(help_text="The last due time of this row.")
    count = models.PositiveBigIntegerField(default=1, help_text="How many due times this row is for.")
    outcome = models.CharField(max_length=10, choices=_choices(Outcome))
    reason = models.CharField(max_length=20, blank=True, default="")
    job_id = models.BigIntegerField(null=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["schedule", "due_at"], name="occurrence_once")]
        indexes = [models.Index(fields=["recorded_at"], name="occurrence_recorded")]

    def __str__(self) -> str:
        return f"{self.due_at:%Y-%m-%d %H:%M:%S} {self.outcome}"


class Tombstone(models.Model):
    """The name of a schedule that a person deleted: a program that puts it again is refused."""

    name = models.CharField(max_length=200, unique=True)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}, deleted by {self.by}"


class AuditEntry(models.Model):
    """Who did what to a schedule, and when. It outlives the schedule."""

    schedule_id = models.CharField(max_length=45, db_index=True, help_text="Its public id.")
    name = models.CharField(max_length=200, blank=True, default="")
    action = models.CharField(max_length=20)
    by = models.CharField(max_length=150)
    at = models.DateTimeField()
    details = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} by {self.by}"
