"""Raw Celery: a task that does nothing, under pirunner's own settings."""

from celery import Celery

PARKED = "bench-parked"
QUEUE = "bench"

app = Celery("bench")
app.config_from_object("pirunner.settings", namespace="CELERY")
# Its children are not replaced: each of these tasks counts, where one of pirunner's runs a hundred jobs.
app.conf.update(worker_max_tasks_per_child=None, worker_max_memory_per_child=None)


@app.task(name="bench.nothing")  # type: ignore[untyped-decorator]
def nothing(number: int) -> None:
    """Do nothing."""
    del number
