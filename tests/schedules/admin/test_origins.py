"""How the pages of jobs find the schedules that jobs come from."""

import pytest

from jobs.admin.origins import due_time_of, origins_of
from jobs.models import Job
from schedules.models import Occurrence
from tests.parts import Api
from tests.schedules.admin.people import page_of
from tests.schedules.calls import EVERY_HOUR, fire, make

pytestmark = pytest.mark.usefixtures("committed_db")


def test_a_schedule_is_found_by_its_id_until_it_is_deleted(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    origin = origins_of([schedule_id, "sched-unknown"])[schedule_id]

    assert (origin.name, origin.url) == (f"{schedule_id[:14]}…", page_of(schedule_id))

    api.delete(f"/jobs/{schedule_id}")
    assert not origins_of([schedule_id])


def test_the_due_time_of_a_job_is_that_of_its_occurrence(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    fire(schedule_id)
    by_hand = int(api.post("/jobs", {"jobType": "ping"}).json()["jobId"])

    assert due_time_of(Job.objects.get(schedule_id=schedule_id).pk) == Occurrence.objects.get().due_at
    assert due_time_of(by_hand) is None
