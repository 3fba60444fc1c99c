"""Who is called back for what: the ends always, the rest where it was asked for."""

from typing import Any

import pytest

from jobs.endings import completed
from jobs.events import ENDS, OPT_IN, callback_url_for, opted_in
from jobs.lifecycle import end_many, start_many
from jobs.reporting import Reporter
from jobs.runs import Claim
from jobs.services import NewJob, submit_many
from jobs.steering import cancel_job
from pirunner.doorbell import Ring
from tests.jobs.making import CLAIMER, NOON, PING, SLOW, delayed, start, waiting
from webhooks.models import Delivery, Event
from webhooks.services import DELIVER_TASK

HOOK = "https://agent.example/hook"
HOME = "https://home.example/hook"


# -- who ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["job.completed", "job.failed", "job.cancelled"])
@pytest.mark.parametrize("asked", ["", "job.started"])
def test_the_ends_are_told_unasked(kind: str, asked: str, owner: Any) -> None:
    owner.CALLBACK_URL = HOME

    assert callback_url_for(kind, HOOK, asked) == HOOK
    assert callback_url_for(kind, "", asked) == HOME


@pytest.mark.parametrize("kind", OPT_IN)
def test_the_rest_is_told_where_it_was_asked_for(kind: str, owner: Any) -> None:
    owner.CALLBACK_URL = HOME
    others = " ".join(other for other in OPT_IN if other != kind)

    assert callback_url_for(kind, HOOK, f"{others} {kind}") == HOOK
    assert callback_url_for(kind, "", kind) == HOME
    assert not callback_url_for(kind, HOOK, others)
    assert not callback_url_for(kind, "", "")


@pytest.mark.parametrize("kind", ["job.retrying", "job.requeued", "job.start", ""])
def test_others_are_told_nobody(kind: str) -> None:
    assert not callback_url_for(kind, HOOK, " ".join(OPT_IN))


def test_without_an_address_nobody_is_told() -> None:
    assert not callback_url_for("job.completed", "", "")


@pytest.mark.parametrize(
    ("kinds", "kept"),
    [
        (None, ""),
        ([], ""),
        (["job.progress"], "job.progress"),
        (["job.progress", "job.started", "job.progress"], "job.progress job.started"),
        (["job.completed", "job.failed", "job.cancelled"], ""),
        ([*ENDS, *OPT_IN], " ".join(OPT_IN)),
    ],
)
def test_what_was_asked_for_is_kept_once_and_without_the_ends(kinds: list[str] | None, kept: str) -> None:
    assert opted_in(kinds) == kept
    assert len(kept) <= 200  # what a row keeps


# -- with real jobs -----------------------------------------------------------------------------------------------


def told(claim: Claim | None = None) -> list[tuple[str, str]]:
    deliveries = Delivery.objects.filter(job_id=claim.job_id) if claim else Delivery.objects.all()
    return list(deliveries.order_by("pk").values_list("event", "url"))


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("kind", [SLOW, PING], ids=["heavy", "light"])
def test_a_start_is_told_where_it_was_asked_for(kind: Any, rings: list[Ring]) -> None:
    waiting(kind, callback_url=HOOK)
    waiting(kind, callback_url=HOOK, callback_events="job.started")
    claims = [claim for _ in range(2) for claim in start_many(job_type=kind, claimer=CLAIMER)]
    asked = max(claims, key=lambda claim: claim.job_id)

    (delivery,) = Delivery.objects.all()
    assert (delivery.job_id, delivery.event, delivery.url) == (asked.job_id, "job.started", HOOK)
    assert [ring.row_id for ring in rings if ring.task == DELIVER_TASK] == [delivery.pk]


@pytest.mark.usefixtures("committed_db")
def test_a_light_job_records_no_start_that_nobody_asked_for() -> None:
    start(PING, callback_url=HOOK)

    assert not Event.objects.exists()


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize(("asked", "expected"), [("job.progress", [("job.progress", HOOK)]), ("job.started", [])])
def test_progress_is_told_where_it_was_asked_for(
    asked: str, expected: list[tuple[str, str]], rings: list[Ring]
) -> None:
    claim = start(callback_url=HOOK, callback_events=asked)
    Delivery.objects.all().delete()
    del rings[:]
    reporter = Reporter(claim)

    reporter.progress(40, "half way")
    reporter.close()

    assert told(claim) == expected
    assert len([ring for ring in rings if ring.task == DELIVER_TASK]) == len(expected)
    assert Event.objects.filter(kind="job.progress").count() == 1


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("asked", ["", "job.progress schedule.missed"])
def test_the_end_is_told_whatever_was_asked_for(asked: str) -> None:
    claim = start(callback_url=HOOK, callback_events=asked)

    end_many([completed(claim, {}, at=NOON)])

    assert told(claim) == [("job.completed", HOOK)]


@pytest.mark.usefixtures("committed_db")
def test_a_cancel_is_told_whatever_was_asked_for() -> None:
    job = delayed(due_at=NOON, callback_url=HOOK, callback_events="job.started")

    cancel_job(job.pk, by="ann")

    assert told() == [("job.cancelled", HOOK)]


@pytest.mark.usefixtures("committed_db")
def test_one_that_replaces_another_has_its_end_told() -> None:
    waiting(concurrency_key="tea", callback_url=HOOK)

    submit_many(
        [NewJob(job_type=PING, input={}, owner="ann", concurrency_key="tea", on_conflict="replace", callback_url=HOME)]
    )

    assert told() == [("job.cancelled", HOOK)]
