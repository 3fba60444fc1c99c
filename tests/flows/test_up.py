"""`manage.py up` as its owner meets it: real processes, real signals."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.stack import ROOT, Stack, wait_for

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]
EVERYBODY = {"up", "api", "worker", "io", "clock", "redis"}


def gone(processes: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in processes)


def broker_folder(stack: Stack) -> Path:
    command = psutil.Process(stack.pid_of("redis")).cmdline()
    # Redis rewrites its title; the folder is in its working directory all the same.
    return Path(psutil.Process(stack.pid_of("redis")).cwd()) if command else Path()


def test_first_start_makes_the_secrets_and_every_process(stack: Stack):
    env_file = Path(stack.environment["ENV_FILE"])

    assert env_file.stat().st_mode & 0o777 == 0o600
    assert wait_for(lambda: set(stack.pids()) == EVERYBODY)
    assert wait_for(lambda: "Try it:" in stack.log())
    assert stack.token not in stack.log()


@pytest.mark.parametrize("name", ["api", "worker", "io", "clock", "redis"])
def test_what_dies_is_started_again(stack: Stack, name: str):
    old = stack.kill_process(name)

    new = wait_for(lambda: stack.pids().get(name) not in {old, None} and stack.pids()[name])

    assert psutil.pid_exists(new)
    assert f"{name} was ended by SIGKILL; starting it again in" in stack.log()
    stack.wait_until_ready()


def test_a_frozen_clock_is_replaced(stack: Stack):
    wait_for(lambda: "clock" in stack.pids())
    old = stack.kill_process("clock", signal.SIGSTOP)

    wait_for(lambda: stack.pids().get("clock") not in {old, None}, 90)

    assert "clock shows no sign of life" in stack.log()


def test_sigterm_stops_everybody_and_cleans_up(stack: Stack):
    wait_for(lambda: set(stack.pids()) == EVERYBODY)
    family, folder = stack.family(), broker_folder(stack)

    assert stack.stop() == 0

    assert gone(family)
    assert not folder.exists()
    assert stack.pids() == {}


def test_nobody_outlives_a_killed_supervisor(stack: Stack):
    wait_for(lambda: set(stack.pids()) == EVERYBODY)
    wait_for(lambda: len(stack.family()) >= len(EVERYBODY) + 3)  # granian's worker and two pool children
    family = stack.family()

    stack.kill()

    wait_for(lambda: gone(family), 5)


def test_nobody_outlives_a_killed_worker(stack: Stack):
    worker = psutil.Process(stack.pid_of("worker"))
    wait_for(lambda: len(worker.children()) == 2)
    pool = worker.children()

    worker.kill()

    wait_for(lambda: gone(pool), 5)


def test_a_second_start_keeps_the_secrets(stack: Stack):
    token = stack.token
    stack.stop()

    stack.start()

    assert stack.token == token


def run_up(stack: Stack, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *(command or ("-m", "pirunner.up"))],
        cwd=ROOT,
        env=stack.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("command", [("-m", "pirunner.up"), ("manage.py", "up")])
def test_a_taken_port_is_one_sentence(tmp_path: Path, command: tuple[str, ...]):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = run_up(Stack(tmp_path, PORT=str(port)), *command)

    assert ended.returncode == 3
    assert ended.stderr.splitlines() == [
        f"pirunner: Port {port} is taken by another program: stop that one, or set PORT to a free port."
    ]


def test_a_taken_port_of_the_relay_is_one_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        ended = run_up(Stack(tmp_path, CALLBACK_PORT=str(port)))

    assert ended.returncode == 3
    assert ended.stderr.splitlines() == [
        f"pirunner: Port {port} is taken by another program: stop that one, or set CALLBACK_PORT to a free port."
    ]


def test_the_relay_refuses_a_well_known_secret_in_development_too(tmp_path: Path):
    ended = run_up(Stack(tmp_path, DEVELOPMENT="on", WEBHOOK_SECRET="change-me"))

    assert ended.returncode == 5
    assert ended.stderr.startswith("pirunner: The relay refuses a WEBHOOK_SECRET that is empty or well known.")


def test_an_unusable_folder_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()  # root may write to a read-only folder, but not below a file

    ended = run_up(Stack(tmp_path, RUNNER_DATA_DIR=str(tmp_path / "file" / "data")))

    assert ended.returncode == 4
    assert ended.stderr.startswith(f"pirunner: Cannot write to {tmp_path / 'file' / 'data'}: Not a directory.")


def test_a_folder_in_use_is_one_sentence(stack: Stack, tmp_path: Path):
    other = Stack(tmp_path, RUNNER_DATA_DIR=stack.environment["RUNNER_DATA_DIR"])

    ended = run_up(other)

    assert ended.returncode == 8
    assert ended.stderr.startswith("pirunner: Another pirunner uses ")


def test_well_known_secrets_are_refused(tmp_path: Path):
    ended = run_up(Stack(tmp_path, RUNNER_API_TOKEN="change-me"))

    assert ended.returncode == 5
    assert ended.stderr.startswith("pirunner: RUNNER_API_TOKEN is a well-known word.")


def test_a_bad_number_is_one_sentence(tmp_path: Path):
    ended = run_up(Stack(tmp_path, WORKER_CONCURRENCY="many"))

    assert ended.returncode == 2
    assert ended.stderr == "pirunner: WORKER_CONCURRENCY must be a whole number, not 'many'.\n"


def test_an_unreachable_database_is_one_sentence(tmp_path: Path):
    ended = run_up(Stack(tmp_path, database_url="postgres://nobody@127.0.0.1:1/none"))

    assert ended.returncode == 7
    assert ended.stderr.startswith("pirunner: The database cannot be used: ")
