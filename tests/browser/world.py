"""What the pages show: jobs of each state, callbacks, schedules and files, all made through the API."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.browser.receiver import Receiver
from tests.stack import Stack, free_port, wait_for

PLUGIN = Path(__file__).resolve().parent.parent / "flows" / "plugin"
TABLE = [{"name": "Ada", "born": 1815}, {"name": "Grace", "born": 1906}]


@dataclass(frozen=True)
class World:
    """Where the things are that pages are about: ids as the API and the addresses have them."""

    completed: str
    with_file: str
    file: str
    failed: str
    running: str
    delayed: str

    @property
    def besides(self) -> list[str]:
        """Pages whose query makes them what they are, or that one comes to by a button."""
        acts = "/admin/jobs/job/acts/"
        return [
            "/admin/jobs/job/submit/?type=chatter",
            "/admin/jobs/job/submit/?type=transform",
            f"/admin/jobs/job/submit/?like={self.completed}",
            "/admin/jobs/job/?q=nothing-is-called-so",
            f"{acts}?act=cancel&job={self.running}&job={self.delayed}&job={self.completed}",
            f"{acts}?act=delete&job={self.with_file}",
            *(f"/admin/jobs/job/{job}/change/" for job in (self.running, self.with_file, self.failed, self.delayed)),
            "/admin/webhooks/delivery/?state=dead",
        ]


def new_stack(folder: Path, receiver: Receiver) -> Stack:
    """Return a stack, not started yet, whose callbacks are tried once and whose jobs can be slow."""
    callback_port = free_port()
    return Stack(
        folder,
        CALLBACK_PORT=str(callback_port),
        FLOWER="on",
        FLOWER_PORT=str(free_port()),
        PYTHONPATH=str(PLUGIN),
        RUNNER_JOBS="built-in,chatter",
        WORKER_CONCURRENCY="3",  # one runs all the time
        CALLBACK_ATTEMPTS="1",
        CALLBACK_ALLOWED_HOSTS=f"{receiver.host},127.0.0.1:{callback_port}",
    )


def populate(stack: Stack, receiver: Receiver) -> World:
    """Fill a stack; what has to end has ended when this returns."""
    relay = f"http://127.0.0.1:{stack.callback_port}/callback"
    _put_schedules(stack)
    running = begin_talking(stack, pause=2)
    completed = stack.submit("chatter", input={"lines": 5, "pause": 0.01}, metadata={"requestedBy": "agent-main"})
    with_file = stack.submit("transform", input={"data": TABLE, "output": "markdown"}, priority=1)
    failed = stack.submit("web-monitor", input={"url": "http://127.0.0.1:1/"})  # an address that is refused
    stack.submit("reminder", input={"message": "Water the plants"}, callbackUrl=relay)
    delayed = stack.submit("ping", schedule={"runAt": (datetime.now(UTC) + timedelta(hours=1)).isoformat()})
    add_dead_letter(stack, receiver)
    for job_id, state in ((completed, "completed"), (with_file, "completed"), (failed, "failed")):
        assert stack.finish(job_id)["state"] == state, stack.job(job_id)
    wait_for(lambda: stack.job(running)["state"] == "active")
    wait_for(lambda: stack.get("/deliveries?state=delivered")["deliveries"])
    file = stack.get(f"/jobs/{with_file}/artifacts")["artifacts"][0]["id"]
    return World(completed, with_file, file, failed, running, delayed)


def _put_schedules(stack: Stack) -> None:
    """Make one that has been due and is paused now, and one of each backend that will be due."""
    each_second = put_schedule(stack, "each-second", {"everySeconds": 1})
    wait_for(lambda: stack.get(f"/schedules/{each_second}/occurrences")["occurrences"])
    stack.request("PATCH", f"/jobs/{each_second}", {"action": "pause"})
    put_schedule(stack, "morning-brief", {"cron": "0 9 * * 1-5", "tz": "Europe/Berlin"})
    put_schedule(stack, "by-systemd", {"cron": "30 4 * * *"}, scheduleBackend="systemd")


def put_schedule(stack: Stack, name: str, timing: dict[str, Any], **fields: Any) -> str:
    """Make a schedule of pings, and return its id."""
    answer = stack.request("PUT", f"/schedules/{name}", {"jobType": "ping", "schedule": timing, **fields})
    assert answer.status == 201, answer.text
    return str(answer.json()["jobId"])


def begin_talking(stack: Stack, pause: float = 0.1) -> str:
    """Submit a job that writes a line every so many seconds, for longer than any test, and return its id."""
    return stack.submit("chatter", input={"lines": 6000, "pause": pause})


def add_dead_letter(stack: Stack, receiver: Receiver) -> str:
    """Let a callback fail for good, and return its id."""
    receiver.is_mended = False
    job_id = stack.submit("ping", callbackUrl=receiver.url)
    path = f"/deliveries?state=dead&jobId={job_id}"
    wait_for(lambda: stack.get(path)["deliveries"])
    return str(stack.get(path)["deliveries"][0]["id"])
