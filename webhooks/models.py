"""What happened (events), and who is told of it (deliveries)."""

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL


class Event(models.Model):
    """One thing that happened to a job. Its number grows; readers keep the last one they saw as a cursor.

    Rows are inserted last in the transaction that changes the job, so that numbers become visible in order
    (see ``webhooks.services.record_events``). There is no foreign key: events outlive jobs.
    """

    seq = models.BigAutoField(primary_key=True)
    job_id = models.BigIntegerField()
    kind = models.CharField(max_length=40)
    at = models.DateTimeField()
    payload = models.TextField(help_text="The JSON text that a callback of this event carries.")

    class Meta:
        indexes = [models.Index(fields=["job_id", "seq"], name="event_of_job")]

    def __str__(self) -> str:
        return f"{self.seq} {self.kind} of job {self.job_id}"


class EventHorizon(models.Model):
    """Up to which number events may have been removed: one row, and none before the first removal.

    Gaps between numbers are normal (an aborted transaction leaves one), so only this tells what a reader has missed.
    """

    ONLY = 1
    """The primary key of the one row."""

    pruned_to = models.BigIntegerField()

    def __str__(self) -> str:
        return f"events up to {self.pruned_to} may be gone"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Reads and guarded writes of deliveries."""

    def pending(self) -> "DeliveryQuerySet":
        """Keep those that are still to be sent.

        The state stands in the SQL as a literal: SQLite uses a partial index only then.
        """
        return self.filter(RawSQL("state = 'pending'", (), models.BooleanField()))


class Delivery(models.Model):
    """One callback to one address: its bytes, made once, and where it stands.

    pending -> delivered | dead. A sender claims it by moving ``next_attempt_at`` ahead (its lease) and counting
    the attempt; when the sender dies, that time comes and the next one sends it again.
    """

    class State(models.TextChoices):
        """Where a delivery stands."""

        PENDING = "pending"
        DELIVERED = "delivered"
        DEAD = "dead"

    event_id = models.CharField(max_length=64, help_text="The same on every attempt; receivers drop repetitions by it.")
    job_id = models.BigIntegerField(db_index=True)
    event = models.CharField(max_length=40)
    url = models.TextField()
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index(fields=["next_attempt_at"], name="delivery_due", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.event} of job {self.job_id} to {self.url}"


class Notice(models.Model):
    """One message for the owner's notification services, made by the relay from a callback that it took.

    pending -> sent | dead, claimed as a delivery is. The unique event id drops a callback that comes twice.
    """

    class State(models.TextChoices):
        """Where a notice stands."""

        PENDING = "pending"
        SENT = "sent"
        DEAD = "dead"

    event_id = models.CharField(max_length=255, unique=True)
    text = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], name="notice_due", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return self.text[:80]
