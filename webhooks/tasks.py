"""Celery's entry points of the I/O worker."""

from celery import shared_task

from webhooks.deliveries import attempt_delivery
from webhooks.services import DELIVER_TASK


@shared_task(name=DELIVER_TASK)  # type: ignore[untyped-decorator]
def deliver(delivery_id: int) -> str:
    """Make one attempt at a delivery."""
    return attempt_delivery(delivery_id)
