"""The pages of ``GET /deliveries``: newest first, each found by an index, however many deliveries there are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import BooleanField
from django.db.models.expressions import RawSQL

from pirunner.errors import NotFound
from webhooks.models import Delivery, DeliveryAttempt, DeliveryQuerySet

LARGEST_ID = 10**18


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries are meant: those below the id ``before`` that fit all that is set.

    ``since`` and ``until`` bound the time of the event; ``host`` is as in ``Delivery.host``.
    """

    before: int = LARGEST_ID
    state: Delivery.State | None = None
    job_id: int | None = None
    host: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Some deliveries, newest first, and the id below which the next page begins; None if there is none."""

    deliveries: Sequence[Delivery]
    next_before: int | None


def list_deliveries(wanted: DeliveryFilter, *, limit: int) -> DeliveryPage:
    """Return a page of deliveries, without their bodies; of ``wanted`` the times are not looked at."""
    rows = list(deliveries_below(wanted).defer("body")[: limit + 1])
    page = rows[:limit]
    return DeliveryPage(page, page[-1].pk if len(rows) > limit else None)


def deliveries_below(wanted: DeliveryFilter) -> DeliveryQuerySet:
    """Return the deliveries of a filter below its cursor, of whatever time, newest first."""
    rows = Delivery.objects.filter(pk__lt=wanted.before).order_by("-pk")
    if wanted.job_id is not None:
        return _of_job(rows, wanted, wanted.job_id)
    match wanted.state:
        case Delivery.State.PENDING:
            rows = rows.pending()
        case Delivery.State.DEAD:
            rows = rows.dead()
        case Delivery.State.DELIVERED:
            # Most are: they are met on the way down, and an index of their own would cost every callback.
            rows = rows.filter(state=wanted.state)
    return rows if wanted.host is None else rows.filter(host=wanted.host)


def _of_job(rows: DeliveryQuerySet, wanted: DeliveryFilter, job_id: int) -> DeliveryQuerySet:
    """Keep a job's deliveries: few, so that no other index is wanted, and an expression keeps that of the host out."""
    rows = rows.filter(job_id=job_id)
    if wanted.state is not None:
        rows = rows.filter(state=wanted.state)
    if wanted.host is None:
        return rows
    return rows.filter(RawSQL("(webhooks_delivery.host || '') = %s", [wanted.host], BooleanField()))


def batch_in_time(wanted: DeliveryFilter, *, looks: int) -> tuple[list[Delivery], DeliveryFilter | None]:
    """Look at a few of the deliveries of a filter; return those in its time, and where to go on, None at the end.

    Ids grow with time, so the first that is older than ``since`` ends it. The bodies are not loaded.
    """
    rows = list(deliveries_below(wanted).only("pk", "job_id", "host", "created_at")[:looks])
    fitting = [row for row in rows if _is_in_time(row.created_at, wanted)]
    ends = len(rows) < looks or (wanted.since is not None and rows[-1].created_at < wanted.since)
    return fitting, None if ends else replace(wanted, before=rows[-1].pk)


def get_delivery(delivery_id: str) -> Delivery:
    """Return a delivery by its id as clients write it; raises ``NotFound``."""
    if delivery_id.isascii() and delivery_id.isdigit() and len(delivery_id) <= 18:
        row = Delivery.objects.filter(pk=int(delivery_id)).first()
        if row is not None:
            return row
    raise no_delivery(delivery_id)


def no_delivery(delivery_id: str) -> NotFound:
    """Return the error that there is no delivery of an id."""
    return NotFound(f"There is no delivery {delivery_id[:40]!r}.")


def attempts_of(delivery: Delivery) -> list[DeliveryAttempt]:
    """Return what was noted of a delivery's attempts, in order."""
    return list(DeliveryAttempt.objects.filter(delivery_id=delivery.pk).order_by("number"))


def _is_in_time(moment: datetime, wanted: DeliveryFilter) -> bool:
    since, until = wanted.since, wanted.until
    return (since is None or moment >= since) and (until is None or moment < until)
