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

    def dead(self) -> "DeliveryQuerySet":
        """Keep the dead letters; the state is a literal for the same reason."""
        return self.filter(RawSQL("state = 'dead'", (), models.BooleanField()))


class Delivery(models.Model):
    """One callback to one address: its bytes, made once, and where it stands.

    pending -> delivered | dead, and back to pending when somebody replays it. A sender claims it by ``sending``,
    moving ``next_attempt_at`` ahead (its lease) and counting the attempt; when the sender dies, that time comes and
    the next one sends it again. ``attempts`` counts all there ever were, those before a replay too.
    """

    class State(models.TextChoices):
        """Where a delivery stands."""

        PENDING = "pending"
        DELIVERED = "delivered"
        DEAD = "dead"

    event_id = models.CharField(max_length=64, help_text="The same on every attempt; receivers drop repetitions by it.")
    job_id = models.BigIntegerField()
    event = models.CharField(max_length=40)
    url = models.TextField()
    host = models.CharField(max_length=300, default="", help_text="The URL's host, with its port if that is unusual.")
    body = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    attempts_before_replay = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    sending = models.BooleanField(default=False, help_text="Whether a sender holds it, until the next attempt is due.")
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = [
            # What senders and the clock look for; of these rows there are few.
            models.Index(fields=["next_attempt_at"], name="delivery_due", condition=Q(state="pending")),
            models.Index(fields=["host", "next_attempt_at"], name="delivery_lane", condition=Q(state="pending")),
            models.Index(fields=["host", "next_attempt_at"], name="delivery_sending", condition=Q(sending=True)),
            # What people look for, newest first.
            models.Index(fields=["job_id", "id"], name="delivery_of_job"),
            models.Index(fields=["host", "id"], name="delivery_to_host"),
            models.Index(fields=["id"], name="delivery_pending", condition=Q(state="pending")),
            models.Index(fields=["host", "id"], name="delivery_pending_to", condition=Q(state="pending")),
            models.Index(fields=["id"], name="delivery_dead", condition=Q(state="dead")),
            models.Index(fields=["host", "id"], name="delivery_dead_to", condition=Q(state="dead")),
        ]

    def __str__(self) -> str:
        return f"{self.event} of job {self.job_id} to {self.host}"


class DeliveryAttempt(models.Model):
    """How one attempt at a delivery went. A number that has no row: its sender ended before it could note it."""

    # Deliveries are removed with their attempts by hand: a cascade would load every body to do it.
    delivery = models.ForeignKey(Delivery, models.DO_NOTHING, related_name="attempt_log", db_index=False)
    number = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    ms = models.PositiveIntegerField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=40, blank=True, default="", help_text="A word for programs; empty: delivered.")
    detail = models.TextField(blank=True, default="")
    body = models.TextField(blank=True, default="", help_text="What the receiver answered, up to 16 KiB.")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "number"], name="attempt_of_delivery")]

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.status or self.error}"


class FailingHost(models.Model):
    """A host that has not taken its last callbacks for a reason of its own; a healthy one has no row."""

    host = models.CharField(max_length=300, primary_key=True)
    failures = models.PositiveIntegerField(default=0, help_text="How many attempts failed, one after the other.")
    since = models.DateTimeField()
    paused_until = models.DateTimeField(help_text="Nothing is sent there before.")

    def __str__(self) -> str:
        return f"{self.host}: {self.failures} failures"


class Endpoint(models.Model):
    """Receivers with a secret of their own: all addresses that begin with ``prefix``.

    The secret is written, by the admin or a command, and read by the sender only: no page, log or API shows it.
    """

    prefix = models.CharField(max_length=500, unique=True, help_text="As in https://agent.example/hooks/")
    host = models.CharField(max_length=300, db_index=True, editable=False)
    secret = models.CharField(max_length=255)
    previous_secret = models.CharField(max_length=255, blank=True, default="")
    previous_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.prefix


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Reads and guarded writes of notices."""

    def pending(self) -> "NoticeQuerySet":
        """Keep those that are still to be sent; the state is a literal for SQLite's partial index."""
        return self.filter(RawSQL("state = 'pending'", (), models.BooleanField()))


class Notice(models.Model):
    """One message to one of the owner's notification services, made by the relay from a callback that it took.

    pending -> sent | dead. A sender claims it by moving ``next_attempt_at`` ahead (its lease) and counting the
    attempt. A callback that comes twice finds its rows there: each service hears of an event once.
    """

    class State(models.TextChoices):
        """Where a notice stands."""

        PENDING = "pending"
        SENT = "sent"
        DEAD = "dead"

    event_id = models.CharField(max_length=255, help_text="The callback's; a hash of its body if it has none.")
    target = models.CharField(max_length=64, help_text="Which service, without its address, which holds a secret.")
    text = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_id", "target"], name="notice_once")]
        indexes = [
            models.Index(fields=["next_attempt_at"], name="notice_due", condition=Q(state="pending")),
        ]

    def __str__(self) -> str:
        return self.text[:80]
