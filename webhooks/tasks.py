"""Celery's entry points of the I/O worker."""

from celery import shared_task

from webhooks.deliveries import answer_ring
from webhooks.relay import notices
from webhooks.services import DELIVER_TASK


@shared_task(name=DELIVER_TASK)  # type: ignore[untyped-decorator]
def deliver(delivery_id: int) -> str:
    """Send the delivery, and what else is due at its host."""
    return answer_ring(delivery_id)


@shared_task(name=notices.NOTIFY_TASK)  # type: ignore[untyped-decorator]
def notify(notice_id: int) -> int:
    """Send the relay's message, and what else is due."""
    return notices.answer_ring(notice_id)
