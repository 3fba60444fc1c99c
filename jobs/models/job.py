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
