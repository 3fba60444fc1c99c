"""What is known of all jobs together: how many ended, when, how fast; and whether workers listen."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from pirunner.fields import JsonTextField


class Tally(models.Model):
    """How many ended jobs there are of a final state; see ``jobs.tally``."""

    state = models.CharField(max_length=10, primary_key=True)
    count = models.BigIntegerField()

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return f"{self.count} {self.state}"


class Canary(models.Model):
    """The one row by which the clock sees that a worker listens; see ``jobs.canary``."""

    asked_at = models.DateTimeField()
    rung_at = models.DateTimeField()
    answered_at = models.DateTimeField()
    deaf_at = models.DateTimeField(null=True, help_text="When the workers were last started anew for it.")

    def __str__(self) -> str:
        return f"asked {self.asked_at}, answered {self.answered_at}"

    def is_silent(self, now: datetime, longest: timedelta) -> bool:
        """Return whether the last question has had no answer for so long."""
        return self.asked_at > self.answered_at and now - self.asked_at >= longest


class JobHour(models.Model):
    """The jobs of one type that ended in one final state within one hour, or ever; see ``jobs.rollup``."""

    hour = models.DateTimeField(null=True, help_text="When the hour begins, in UTC; null: all time.")
    job_type = models.CharField(max_length=100)
    state = models.CharField(max_length=10)
    ended = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0.0, help_text="From start to end, of all together.")
    buckets = JsonTextField(help_text="How many took how long: see jobs.rollup.BOUNDS.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["hour", "job_type", "state"], name="job_hour_once"),
            models.UniqueConstraint(fields=["job_type", "state"], name="job_ever_once", condition=Q(hour__isnull=True)),
        ]

    def __str__(self) -> str:
        when = "ever" if self.hour is None else f"{self.hour:%Y-%m-%d %H}h"
        return f"{self.ended} {self.job_type} {self.state} {when}"


class RunCount(models.Model):
    """How many runs of a type came to something else than the end of their job; see ``jobs.rollup``."""

    job_type = models.CharField(max_length=100)
    what = models.CharField(max_length=20)
    count = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job_type", "what"], name="run_count_once")]

    def __str__(self) -> str:
        return f"{self.count} {self.job_type} {self.what}"


class RollupCursor(models.Model):
    """The number of the last event that is in the figures: one row, and none before the first."""

    ONLY = 1
    """The primary key of the one row."""

    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"rolled up to event {self.seq}"
