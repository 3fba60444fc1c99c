"""Celery's entry points: one task per job type, so that Flower tells the types apart."""

from typing import Any

from celery import Task, current_app

from jobs import canary, keeper  # noqa: F401  (connects its signals in the worker)
from jobs.catalog import registered
from jobs.results import task_name
from jobs.runner import answer_ring


def _register(job_type_name: str) -> None:
    @current_app.task(bind=True, name=task_name(job_type_name))  # type: ignore[untyped-decorator]
    def run(self: "Task[Any, Any]", job_id: int) -> list[str]:  # noqa: ARG001  (a hint for the reader of Flower)
        return answer_ring(job_type_name, worker=self.request.hostname)


@current_app.task(name=canary.TASK)  # type: ignore[untyped-decorator]
def hear_canary(_row_id: int) -> None:
    """Show that this worker listens."""
    canary.answer()


for _name in registered():
    _register(_name)
