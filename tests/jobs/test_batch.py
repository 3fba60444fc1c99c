"""``POST /jobs/batch``: one answer per item, in order, and one transaction for all that are good."""

import json
from typing import Any

import pytest
from django.db import OperationalError

from jobs import batch, intake
from jobs.models import IdempotencyKey, Job
from jobs.services import submit_many
from pirunner.doorbell import Ring
from tests.parts import Api
from webhooks.services import check_target

pytestmark = pytest.mark.usefixtures("committed_db")

PING = {"jobType": "ping"}
KEYED = {"jobType": "ping", "idempotencyKey": "client-key-1"}
UNKNOWN = {"jobType": "rm"}


def alone(api: Api, body: Any) -> Any:
    """Return what ``POST /jobs`` answers, without what differs from job to job."""
    return {name: value for name, value in api.post("/jobs", body).json().items() if name != "jobId"}


def test_each_item_gets_its_answer_in_order(api: Api, rings: list[Ring]):
    answer = api.post("/jobs/batch", [{**PING, "input": n} for n in range(3)])

    assert answer.status_code == 202
    assert [item["status"] for item in answer.json()] == ["queued"] * 3
    jobs = [Job.objects.get(pk=item["jobId"]) for item in answer.json()]
    assert [job.input for job in jobs] == [0, 1, 2]
    assert {ring.row_id for ring in rings} == {job.pk for job in jobs}


def test_one_bad_item_does_not_reject_the_others(api: Api):
    bodies: list[Any] = [PING, UNKNOWN, 7, {}, {**PING, "priority": 11}, {**PING, "schedule": {"cron": "61 * * * *"}}]

    answer = api.post("/jobs/batch", [*bodies, PING])

    assert answer.status_code == 202
    first, *bad, last = answer.json()
    assert "jobId" in first
    assert "jobId" in last
    assert bad == [alone(api, body) for body in bodies[1:]]
    assert all(item["error"] for item in bad)


def test_a_batch_without_a_single_good_item_is_400(api: Api):
    answer = api.post("/jobs/batch", [UNKNOWN, {}])

    assert answer.status_code == 400
    assert [item["error"] for item in answer.json()] == ["invalid_payload", "invalid_payload"]
    assert not Job.objects.exists()


@pytest.mark.parametrize("body", [[], {}, PING, None, "[]", 3, [PING] * 1001])
def test_what_is_no_batch_is_refused_with_a_fault(api: Api, body: Any):
    answer = api.post("/jobs/batch", body)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_payload"
    (fault,) = answer.json()["details"]
    assert fault["path"] == []
    assert not Job.objects.exists()


def test_a_thousand_jobs_are_accepted_in_one_transaction(api: Api, monkeypatch: pytest.MonkeyPatch):
    sizes: list[int] = []

    def counted(new_jobs: Any) -> Any:
        sizes.append(len(new_jobs))
        return submit_many(new_jobs)

    monkeypatch.setattr(intake, "submit_many", counted)

    answer = api.post("/jobs/batch", [PING] * 1000)

    assert answer.status_code == 202
    assert sizes == [1000]
    assert len({item["jobId"] for item in answer.json()}) == Job.objects.count() == 1000


def test_two_equal_keys_in_a_batch_are_one_job(api: Api):
    first, other, again = api.post("/jobs/batch", [KEYED, PING, KEYED]).json()

    assert again == {**first, "deduplicated": True}
    assert other["jobId"] != first["jobId"]
    assert Job.objects.count() == 2


def test_a_key_with_another_body_in_a_batch_is_a_mismatch(api: Api):
    first, other = api.post("/jobs/batch", [KEYED, {**KEYED, "priority": 1}]).json()

    assert "jobId" in first
    assert other["error"] == "idempotency_mismatch"
    assert Job.objects.count() == 1


def test_a_repeated_batch_makes_no_job_twice(api: Api):
    bodies = [{**PING, "idempotencyKey": f"client-key-{n}"} for n in range(5)]
    first = api.post("/jobs/batch", bodies).json()

    again = api.post("/jobs/batch", [*bodies, PING])

    assert again.status_code == 202
    assert again.json()[:5] == [{**item, "deduplicated": True} for item in first]
    assert Job.objects.count() == 6


def test_a_key_that_was_used_meanwhile_does_not_split_the_batch(api: Api, monkeypatch: pytest.MonkeyPatch):
    api.post("/jobs", KEYED)
    # As if the other request had committed between the look at the key and the transaction.
    monkeypatch.setattr("jobs.submissions.find_answer", lambda **_: None)
    sizes: list[int] = []

    def counted(new_jobs: Any) -> Any:
        sizes.append(len(new_jobs))
        return submit_many(new_jobs)

    monkeypatch.setattr(intake, "submit_many", counted)

    answer = api.post("/jobs/batch", [PING, KEYED, PING]).json()

    assert [item.get("deduplicated", False) for item in answer] == [False, True, False]
    assert sizes == [3, 2]
    assert IdempotencyKey.objects.count() == 1


def test_the_header_of_single_jobs_is_refused(api: Api):
    answer = api.post("/jobs/batch", [PING], Idempotency_Key="client-key-1")

    assert answer.status_code == 400
    assert answer.json()["details"][0]["path"] == ["Idempotency-Key"]


def test_jobs_that_mind_others_are_judged_in_the_order_of_the_batch(api: Api):
    keyed = {**PING, "concurrencyKey": "briefs"}
    rejecting, replacing = ({**keyed, "onConflict": rule} for rule in ("reject", "replace"))

    first, refused, third, _ = api.post("/jobs/batch", [keyed, rejecting, replacing, PING]).json()

    assert refused["error"] == "concurrency_conflict"
    assert Job.objects.get(pk=first["jobId"]).state == "cancelled"
    assert Job.objects.get(pk=third["jobId"]).state == "waiting"


def test_a_body_of_more_than_one_mebibyte_is_taken_only_as_a_batch(api: Api):
    large = {**PING, "input": "x" * 900_000}

    assert api.post("/jobs/batch", [large] * 4).status_code == 202
    assert api.post("/jobs/batch", [large] * 5).status_code == 413
    assert api.post("/jobs", {**PING, "input": "x" * 1_100_000}).status_code == 413


def test_an_item_that_is_nested_too_deep_spoils_only_itself(api: Api):
    deep = json.loads("[" * 64 + "]" * 64)

    answer = api.post("/jobs/batch", [PING, {**PING, "input": deep}]).json()

    assert "jobId" in answer[0]
    assert answer[1]["error"] == "invalid_json"


def test_the_deepest_item_that_is_taken_alone_is_taken_in_a_batch(api: Api):
    deep = {**PING, "input": json.loads("[" * 63 + "]" * 63)}

    assert api.post("/jobs", deep).status_code == 202
    assert api.post("/jobs/batch", [deep]).status_code == 202


def test_a_callback_address_is_looked_up_once_for_the_whole_batch(api: Api, monkeypatch: pytest.MonkeyPatch):
    looked_up: list[str] = []

    def counted(url: str) -> str | None:
        looked_up.append(url)
        return check_target(url)

    monkeypatch.setattr(batch, "check_target", counted)
    forbidden = {**PING, "callbackUrl": "http://127.0.0.1/hook"}

    answer = api.post("/jobs/batch", [forbidden] * 5 + [PING])

    assert looked_up == ["http://127.0.0.1/hook"]
    assert answer.json()[:5] == [alone(api, forbidden)] * 5


def test_a_database_that_does_not_answer_is_503_and_takes_nothing(api: Api, monkeypatch: pytest.MonkeyPatch):
    def locked(_: Any) -> Any:
        raise OperationalError("database is locked")

    monkeypatch.setattr(intake, "submit_many", locked)

    answer = api.post("/jobs/batch", [PING, UNKNOWN])

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert [item["error"] for item in answer.json()] == ["unavailable", "invalid_payload"]
