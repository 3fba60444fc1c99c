"""What jobs keep for later: checkpoints for their next attempt, values for the next job, and what they have spent."""

from django.db import models

from jobs.models.job import Job
from pirunner.fields import JsonTextField


class Checkpoint(models.Model):
    """What an attempt has done already, for the next one; it goes when its job completes. See ``jobs.memory``."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="checkpoints", db_index=False)
    key = models.TextField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the key, which may be too long for an index.")
    value = JsonTextField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["job", "digest"], name="checkpoint_once")]

    def __str__(self) -> str:
        return f"{self.key} of job {self.job_id}"


class KeptValue(models.Model):
    """What a job type keeps for an owner from one job to the next. See ``jobs.memory``."""

    owner = models.CharField(max_length=100)
    job_type = models.CharField(max_length=100)
    key = models.TextField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the key.")
    value = JsonTextField(null=True)
    updated_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "job_type", "digest"], name="kept_value_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.job_type}"


class JobSpending(models.Model):
    """What a job has spent on language models, all its attempts together. See ``jobs.spending``."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="spending")
    tokens = models.BigIntegerField(default=0)
    micro_usd = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.tokens} tokens of job {self.job_id}"


class DaySpending(models.Model):
    """What the jobs of a type have spent on one day of the owner's; it stays when they are deleted."""

    day = models.DateField()
    job_type = models.CharField(max_length=100)
    tokens = models.BigIntegerField(default=0)
    micro_usd = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "job_type"], name="day_spending_once")]

    def __str__(self) -> str:
        return f"{self.tokens} tokens of {self.job_type} on {self.day}"
