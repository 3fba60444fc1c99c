"""Celery's entry points of the I/O worker."""

from celery import shared_task

from webhooks.deliveries import answer_ring
from webhooks.relay.notices import NOTIFY_TASK, attempt_notice
from webhooks.services import DELIVER_TASK


@shared_task(name=DELIVER_TASK)  # type: ignore[untyped-decorator]
def deliver(delivery_id: int) -> str:
    """Send the delivery, and what else is due at its host."""
    return answer_ring(delivery_id)


@shared_task(name=NOTIFY_TASK)  # type: ignore[untyped-decorator]
def notify(notice_id: int) -> str:
    """Make one attempt at a message of the relay."""
    return attempt_notice(notice_id)
