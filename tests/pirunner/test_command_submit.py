"""``manage.py submit``."""

import threading
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection

from jobs.models import Job, LogLine
from jobs.states import State
from pirunner.doorbell import Ring
from schedules.models import Schedule
from tests.parts import wait_for
from tests.pirunner.command import run

pytestmark = pytest.mark.usefixtures("committed_db")


def newest() -> Job:
    return Job.objects.latest("pk")


def test_a_job_is_on_disk_and_rung_for(rings: list[Ring]):
    ran = run("submit", "ping", "hello=world", "n=5", "--priority", "2")

    job = newest()
    assert (ran.code, ran.out) == (0, f"Job {job.pk} is accepted.\n")
    assert (job.state, job.input, job.priority, job.owner) == ("waiting", {"hello": "world", "n": 5}, 2, "bootstrap")
    assert [ring.row_id for ring in rings] == [job.pk]


def test_words_become_what_the_job_type_wants():
    run("submit", "reminder", "message=42", 'title:="Tea"')

    assert newest().input == {"message": "42", "title": "Tea"}


def test_the_input_comes_whole_from_a_file_and_pairs_go_on_top(tmp_path: Path):
    (tmp_path / "in.json").write_text('{"message": "a", "title": "b"}')

    run("submit", "reminder", "--input", f"@{tmp_path}/in.json", "message=c")

    assert newest().input == {"message": "c", "title": "b"}


def test_every_fault_has_a_line_and_the_code_is_2():
    ran = run("submit", "reminder", "--priority", "11", "--callback-url", "ftp://x", "--tz", "Mars/X")

    _head, *lines = ran.err.splitlines()
    assert (ran.code, ran.out) == (2, "")
    assert [line.split(":")[0].strip() for line in lines] == [
        "priority",
        "input.message",
        "callbackUrl",
        "schedule.tz",
    ]
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "words", ["nothing", "ping hello", "ping --input {", "ping --input @nowhere", "ping --every x"]
)
def test_a_slip_is_a_fault(words: str):
    assert run("submit", *words.split()).code == 2


def test_twice_under_one_key_is_one_job():
    first, second = (run("submit", "ping", "--key", "call-ana-1", "--json").json() for _ in range(2))

    assert first["jobId"] == second["jobId"]
    assert second["deduplicated"] is True
    assert "another body" in run("submit", "ping", "a=1", "--key", "call-ana-1").err


def test_later_is_delayed():
    ran = run("submit", "ping", "--run-at", "2099-03-10T13:30:00", "--tz", "Asia/Kolkata")

    assert "accepted for later" in ran.out
    assert newest().due_at.isoformat() == "2099-03-10T08:00:00+00:00"


def test_a_schedule_tells_its_next_fires():
    ran = run("submit", "ping", "--cron", "0 9 * * 1-5", "--tz", "Europe/Berlin")

    (schedule,) = Schedule.objects.all()
    assert ran.lines[0] == f"Schedule {schedule.public_id} is accepted."
    assert len(ran.lines) == 4
    assert all("T09:00:00+0" in line for line in ran.lines[1:])
    fires = run("submit", "ping", "--every", "2h", "--json").json()["nextFires"]
    assert len(fires) == 3


def test_what_repeats_cannot_be_waited_for():
    assert run("submit", "ping", "--every", "2h", "--wait").code == 2
    assert not Schedule.objects.exists()


def end_the_newest(state: State) -> threading.Thread:
    """Let the next job end as a worker would."""

    def end() -> None:
        job = wait_for(lambda: Job.objects.filter(state="waiting").first())
        assert job
        LogLine.objects.create(job=job, run=1, at=job.created_at, level="info", message="half\x1bway")
        Job.objects.filter(pk=job.pk).update(state=state, finished_at=job.created_at, summary="pong", error="no tea")
        connection.close()

    thread = threading.Thread(target=end)
    thread.start()
    return thread


@pytest.mark.parametrize(("state", "code"), [(State.COMPLETED, 0), (State.FAILED, 1), (State.CANCELLED, 1)])
def test_waiting_follows_the_job_to_its_end(state: State, code: int):
    thread = end_the_newest(state)

    ran = run("submit", "ping", "--wait", "10")

    thread.join()
    assert ran.code == code
    assert ran.lines[-1].startswith(f"job {newest().pk} {state}")
    assert any("info    half way" in line for line in ran.lines)


def test_waiting_is_over_in_time():
    ran = run("submit", "ping", "--wait", "0.1")

    assert (ran.code, ran.lines[-1]) == (3, f"job {newest().pk} waiting")


def test_json_is_one_document_also_when_it_waits():
    thread = end_the_newest(State.COMPLETED)

    ran = run("submit", "ping", "--wait", "10", "--json")

    thread.join()
    assert ran.json()["state"] == "completed"


def test_help_has_examples(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        call_command("submit", "--help")

    assert "manage.py submit ping hello=world --wait" in capsys.readouterr().out
