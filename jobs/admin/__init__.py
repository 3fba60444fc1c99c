"""The pages of jobs: ``lists`` shows many, ``page`` one, ``acts`` are what can be done, ``submitting`` makes one."""

from jobs.admin import job, task_results  # noqa: F401  (it registers its own)
from pirunner.admin_pages import ReadOnlyAdmin, as_json, preformatted, short_moment

__all__ = ["ReadOnlyAdmin", "as_json", "preformatted", "short_moment"]

task_results.register()
