"""``DELETE /jobs/<id>``."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from django_celery_results.models import TaskResult

from jobs.context import RunContext
from jobs.endings import completed
from jobs.lifecycle import end_many
from jobs.models import Artifact, Job
from tests.jobs.making import active, start, waiting
from tests.parts import Api

pytestmark = pytest.mark.usefixtures("committed_db")


def test_a_deleted_job_is_gone_with_its_history_and_files(api: Api, owner: Any) -> None:
    claim = start()
    artifact = RunContext(claim).artifact("brief.md", "# Brief")
    end_many([completed(claim, {}, at=timezone.now(), artifacts=(artifact,))])

    answer = api.delete(f"/jobs/{claim.job_id}")

    assert (answer.status_code, answer.json()) == (
        200,
        {"ok": True, "id": str(claim.job_id), "removed": True, "backend": "celery"},
    )
    assert not Job.objects.exists()
    assert not TaskResult.objects.exists()
    assert not Artifact.objects.exists()
    assert not Path(artifact.path).exists()
    assert list(owner.DATA_DIR.iterdir()) == []
    assert api.get(f"/jobs/{claim.job_id}").status_code == 404
    assert api.delete(f"/jobs/{claim.job_id}").status_code == 404


@pytest.mark.parametrize("state", ["waiting", "delayed", "failed", "cancelled"])
def test_a_job_that_does_not_run_can_be_deleted(api: Api, state: str) -> None:
    job = waiting(state=state)

    assert api.delete(f"/jobs/{job.pk}").status_code == 200
    assert not Job.objects.exists()


def test_a_running_job_cannot_be_deleted(api: Api) -> None:
    job = active()

    answer = api.delete(f"/jobs/{job.pk}")

    assert (answer.status_code, answer.json()["error"]) == (409, "job_active")
    assert Job.objects.get().state == "active"
