"""The rows of the jobs: the truth of what was asked for, what runs, and how it ended.

States, and who moves a job out of each::

    delayed    due later (runAt, back-off)       clock -> waiting; cancel -> cancelled
    waiting    due; a ring is on its way         a worker's claim -> active; cancel -> cancelled
    active     a worker holds token and lease    its worker -> completed | failed | cancelled | delayed | waiting
                                                 clock, when the lease is over -> waiting | failed | cancelled
    completed, failed, cancelled                 final; retry -> waiting

Each move is an ``UPDATE`` that names the state (and the token) it expects, and a look at the row count:
whoever comes second changes nothing.
"""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from jobs.states import State
from pirunner.fields import JsonTextField


class JobQuerySet(models.QuerySet["Job"]):
    """Reads of jobs by state.

    The states stand in the SQL as literals: SQLite uses a partial index only then.
    """

    def delayed(self) -> "JobQuerySet":
        """Keep those that are due later."""
        return self.filter(RawSQL("jobs_job.state = 'delayed'", (), models.BooleanField()))

    def waiting(self) -> "JobQuerySet":
        """Keep those that a worker may claim."""
        return self.filter(RawSQL("jobs_job.state = 'waiting'", (), models.BooleanField()))

    def open_of_key(self, concurrency_key: str) -> "JobQuerySet":
        """Keep those of a concurrency key that have not ended."""
        is_open = RawSQL(
            "NOT (concurrency_key = '') AND state IN ('delayed', 'waiting', 'active')", (), models.BooleanField()
        )
        return self.filter(is_open, concurrency_key=concurrency_key).order_by("id")

    def of_schedule(self, schedule_id: str) -> "JobQuerySet":
        """Keep those that a schedule submitted."""
        return self.filter(RawSQL("NOT (schedule_id = '')", (), models.BooleanField()), schedule_id=schedule_id)

    def open_of_schedule(self, schedule_id: str) -> "JobQuerySet":
        """Keep those of a schedule that have not ended."""
        is_open = RawSQL(
            "NOT (schedule_id = '') AND state IN ('delayed', 'waiting', 'active')", (), models.BooleanField()
        )
        return self.filter(is_open, schedule_id=schedule_id).order_by("id")

    def of_owner(self, owner: str) -> "JobQuerySet":
        """Keep those that a token submitted, which is not the bootstrap token: its jobs are in no index."""
        return self.filter(RawSQL("NOT (owner = 'bootstrap')", (), models.BooleanField()), owner=owner)

    def active(self) -> "JobQuerySet":
        """Keep those that a worker holds."""
        return self.filter(RawSQL("jobs_job.state = 'active'", (), models.BooleanField()))


class Job(models.Model):
    """One job, from its acceptance to its end."""

    job_type = models.CharField(max_length=100)
    queue = models.CharField(max_length=50)
    state = models.CharField(max_length=10, choices=[(state.value, state.value) for state in State])
    priority = models.PositiveSmallIntegerField(help_text="1 (most urgent) to 10.")
    rank = models.BigIntegerField(help_text="The claim takes the smallest: see jobs.ranking.")

    input = JsonTextField()
    metadata = JsonTextField(null=True)
    schedule = JsonTextField(null=True)
    backend = models.CharField(max_length=10, help_text="As the client called it.")
    concurrency_key = models.CharField(max_length=200, blank=True, default="")
    callback_url = models.TextField(blank=True, default="", help_text="Empty: the CALLBACK_URL setting.")
    callback_events = models.CharField(
        max_length=200, blank=True, default="", help_text="Called back for besides the ends; with blanks between."
    )
    schedule_id = models.CharField(max_length=45, blank=True, default="", help_text="The schedule that submitted it.")
    owner = models.CharField(max_length=100, help_text="The token that submitted it.")

    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, help_text="When it last became waiting.")
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    max_attempts = models.PositiveSmallIntegerField()
    attempts_made = models.PositiveIntegerField(default=0)
    run = models.PositiveIntegerField(default=0, help_text="Number of the last run; never used twice.")
    # NULL, not empty, says that nobody holds the job: a constraint ties it to the state.
    token = models.CharField(max_length=32, null=True, help_text="Fences the end: only its holder may write it.")  # noqa: DJ001
    lease_expires_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    worker = models.CharField(max_length=200, blank=True, default="")
    instance = models.CharField(max_length=100, blank=True, default="", help_text="See jobs.processes.")
    child_pid = models.PositiveIntegerField(null=True)

    cancel_requested_at = models.DateTimeField(null=True)
    cancel_requested_by = models.CharField(max_length=100, blank=True, default="")

    progress = models.PositiveSmallIntegerField(default=0, help_text="Percent.")
    status_message = models.CharField(max_length=500, blank=True, default="")
    result = JsonTextField(null=True)
    summary = models.TextField(blank=True, default="")
    error = models.TextField(blank=True, default="")
    error_class = models.CharField(max_length=100, blank=True, default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="job_active_holds_token",
                condition=Q(state="active", token__isnull=False) | (~Q(state="active") & Q(token__isnull=True)),
            ),
            models.UniqueConstraint(
                name="job_one_active_per_key",
                fields=["concurrency_key"],
                condition=Q(state="active") & ~Q(concurrency_key=""),
            ),
            models.CheckConstraint(name="job_priority_1_to_10", condition=Q(priority__gte=1, priority__lte=10)),
        ]
        indexes = [
            models.Index(fields=["queue", "job_type", "rank", "id"], name="job_claim", condition=Q(state="waiting")),
            models.Index(
                fields=["concurrency_key", "id"],
                name="job_key",
                condition=~Q(concurrency_key="") & Q(state__in=["delayed", "waiting", "active"]),
            ),
            # The state is in it, and in job_waiting_since, for SQLite, which otherwise prefers job_state and sorts.
            models.Index(fields=["state", "due_at"], name="job_due", condition=Q(state="delayed")),
            models.Index(fields=["schedule_id", "id"], name="job_of_schedule", condition=~Q(schedule_id="")),
            models.Index(
                fields=["schedule_id"],
                name="job_open_of_schedule",
                condition=~Q(schedule_id="") & Q(state__in=["delayed", "waiting", "active"]),
            ),
            # For tokens that are limited to their own; whoever knows only the bootstrap token does not pay for it.
            models.Index(fields=["owner", "id"], name="job_of_owner", condition=~Q(owner="bootstrap")),
            models.Index(fields=["lease_expires_at"], name="job_lease", condition=Q(state="active")),
            models.Index(fields=["state", "id"], name="job_state"),
            models.Index(fields=["job_type", "id"], name="job_type"),
            models.Index(fields=["state", "queued_at"], name="job_waiting_since", condition=Q(state="waiting")),
            # A job has its finished_at while it is ended, and only then.
            models.Index(fields=["state", "finished_at"], name="job_ended", condition=Q(finished_at__isnull=False)),
            models.Index(
                fields=["job_type", "state", "id"], name="job_type_ended", condition=Q(finished_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.job_type} {self.pk}"


class LogLine(models.Model):
    """A line that a running job wrote. Its id is its sequence number."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="log_lines", db_index=False)
    run = models.PositiveIntegerField()
    at = models.DateTimeField()
    level = models.CharField(max_length=10)
    message = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="log_of_job")]

    def __str__(self) -> str:
        return f"{self.level}: {self.message}"


class Artifact(models.Model):
    """A file that a job wrote below ``DATA_DIR``."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="artifacts")
    run = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    path = models.TextField(help_text="Below DATA_DIR.")
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} of job {self.job_id}"


class IdempotencyKey(models.Model):
    """A client's key, what it was used for, and the answer that every repetition gets."""

    owner = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    body_sha256 = models.CharField(max_length=64)
    answer = JsonTextField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "key"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return self.key


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


class SearchCollection(models.Model):
    """Documents that an owner searches together. See ``jobs.search_index``."""

    owner = models.CharField(max_length=100)
    name = models.CharField(max_length=100)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="search_collection_once")]

    def __str__(self) -> str:
        return self.name


class SearchDocument(models.Model):
    """A document of a collection; its terms are beside it in ``jobs_fulltext``, as the database keeps them."""

    collection = models.ForeignKey(
        SearchCollection, on_delete=models.CASCADE, related_name="documents", db_index=False
    )
    doc_id = models.TextField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of doc_id.")
    title = models.TextField(blank=True)
    text = models.TextField()
    url = models.TextField(blank=True)
    content_sha256 = models.CharField(max_length=64)
    indexed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["collection", "digest"], name="search_document_once")]

    def __str__(self) -> str:
        return self.title or self.doc_id
