"""``manage.py prune``."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from jobs import retention
from jobs.models import IdempotencyKey, Job, Tally
from tests.jobs.making import ended
from webhooks.models import Delivery, Event

LONG_AGO = timezone.now() - timedelta(days=1000)


@pytest.fixture(autouse=True)
def old_things(committed_db: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  (it comes first)
    monkeypatch.setattr(retention, "BATCH", 2)
    for number in range(5):
        ended(at=LONG_AGO)
        Event.objects.create(job_id=number, kind="job.completed", at=LONG_AGO, payload="{}")
    Delivery.objects.create(
        event_id="evt_1", job_id=1, event="job.completed", url="u", body="{}", state="dead", created_at=LONG_AGO
    )
    IdempotencyKey.objects.create(owner="o", key="k", body_sha256="", answer={}, expires_at=LONG_AGO)


def prune(*options: str) -> dict[str, tuple[int, int]]:
    """Run the command; return what it printed as name: (to go, removed)."""
    output = StringIO()
    call_command("prune", *options, stdout=output)
    rows = [line.rsplit(maxsplit=2) for line in output.getvalue().splitlines()[1:] if line[-1].isdigit()]
    return {name: (int(there), int(removed)) for name, there, removed in rows}


def test_a_dry_run_counts_and_removes_nothing():
    assert prune("--dry-run") == {
        "jobs": (5, 0),
        "events": (5, 0),
        "deliveries": (1, 0),
        "notices": (0, 0),
        "idempotency keys": (1, 0),
        "folders without a job": (0, 0),
    }
    assert (Job.objects.count(), Event.objects.count()) == (5, 5)


def test_without_options_one_batch_goes():
    assert prune()["jobs"] == (5, 2)
    assert Job.objects.count() == 3


def test_all_goes_on_until_nothing_is_left():
    assert prune("--all")["jobs"] == (5, 5)
    assert not Job.objects.exists()
    assert not IdempotencyKey.objects.exists()


def test_a_wrong_tally_is_put_right():
    Tally.objects.update(count=99)

    prune("--all")

    assert Tally.objects.get(state="completed").count == 0
