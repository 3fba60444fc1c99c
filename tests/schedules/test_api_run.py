"""``POST /schedules/:id/run``: a job at once, beside the due times."""

from typing import Any

import pytest

from jobs.models import Job
from pirunner.doorbell import Ring
from schedules.models import Occurrence
from tests.parts import Api, at_once
from tests.schedules.calls import AT_NINE, EVERY_HOUR, body, error, make, row

pytestmark = pytest.mark.usefixtures("committed_db")


def run(api: Api, reference: str) -> Any:
    return api.post(f"/schedules/{reference}/run")


def test_a_job_is_submitted_at_once(api: Api, rings: list[Ring]) -> None:
    schedule_id = make(api, AT_NINE, input={"a": 1}, priority=2, metadata={"b": 2})
    due = row(schedule_id).next_due_at

    answer = run(api, schedule_id)

    job = Job.objects.get()
    assert (answer.status_code, answer.json()) == (202, {"jobId": str(job.pk), "scheduleId": schedule_id})
    assert (job.job_type, job.state, job.input, job.priority) == ("ping", "waiting", {"a": 1}, 2)
    assert job.schedule_id == schedule_id
    assert [ring.row_id for ring in rings] == [job.pk]
    assert row(schedule_id).next_due_at == due
    (occurrence,) = api.get(f"/schedules/{schedule_id}/occurrences").json()["occurrences"]
    assert (occurrence["outcome"], occurrence["reason"], occurrence["jobId"]) == ("fired", "run_now", str(job.pk))


def test_one_is_run_by_its_name_and_while_it_is_paused(api: Api) -> None:
    api.put("/schedules/bins", body())
    api.patch("/schedules/bins", {"action": "pause"})

    assert run(api, "bins").status_code == 202


def test_one_whose_job_has_not_ended_is_not_run_beside_it(api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    run(api, schedule_id)

    assert error(run(api, schedule_id)) == (409, "still_running")
    assert Job.objects.count() == Occurrence.objects.count() == 1


@pytest.mark.parametrize("overlap", ["allow", "queue"])
def test_one_that_may_overlap_is_run_again(api: Api, overlap: str) -> None:
    schedule_id = make(api, {**EVERY_HOUR, "overlap": overlap})

    assert run(api, schedule_id).status_code == run(api, schedule_id).status_code == 202


def test_of_several_calls_at_the_same_instant_one_runs_it(api: Api) -> None:
    schedule_id = make(api)

    outcomes: list[Any] = at_once([lambda: run(api, schedule_id)] * 4)

    assert sorted(answer.status_code for answer in outcomes) == [202, 409, 409, 409]


def test_a_type_that_is_no_longer_allowed_is_not_run(api: Api, owner: Any) -> None:
    schedule_id = make(api)
    owner.RUNNER_JOBS = ("reminder",)

    answer = run(api, schedule_id)

    assert error(answer) == (409, "cannot_run")
    assert "ping" in answer.json()["details"]


def test_an_input_that_is_no_longer_taken_is_not_run(api: Api) -> None:
    schedule_id = make(api)
    schedule = row(schedule_id)
    schedule.job_type = "reminder"
    schedule.save()

    assert error(run(api, schedule_id)) == (409, "cannot_run")


def test_one_that_is_not_wanted_beside_others_of_its_key_is_not_run(api: Api) -> None:
    schedule_id = make(api, concurrencyKey="k", onConflict="reject")
    api.post("/jobs", {"jobType": "ping", "concurrencyKey": "k"})

    assert error(run(api, schedule_id)) == (409, "cannot_run")


@pytest.mark.parametrize("reference", ["sched-nothing", "nothing"])
def test_nothing_is_not_run(api: Api, reference: str) -> None:
    assert error(run(api, reference)) == (404, "not_found")
