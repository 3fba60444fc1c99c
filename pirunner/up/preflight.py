"""What is looked at before anything is started, so that a fault is one sentence and not a crash loop."""

import fcntl
import os
import tempfile
from pathlib import Path

from jobs.checks import check_runner_jobs
from pirunner import checks, env
from pirunner.up import ports
from pirunner.up.faults import Exit, StartFault
from webhooks.checks import check_allowed_hosts, check_callback_url, check_secret
from webhooks.relay.checks import check_relay_secret, check_telegram


def check() -> None:
    """Look at secrets, folders and ports; raises StartFault or EnvironmentFault at the first fault."""
    _check_secrets()
    folder = data_folder()
    check_writable(folder)
    _lock(folder)
    ports.require_free(env.text("HOST"), env.integer("PORT"), "PORT")
    if env.switch("RELAY"):
        ports.require_free(env.text("CALLBACK_HOST"), env.integer("CALLBACK_PORT"), "CALLBACK_PORT")


def check_configuration() -> None:
    """Run the apps' own checks of the configuration, once the settings are read; raises StartFault."""
    # Not those of Django's admin: they take long, and an owner can do nothing about them.
    ours = (check_runner_jobs, check_allowed_hosts, check_callback_url, check_secret, check_telegram)
    for fault in (fault for check in ours for fault in check()):
        raise StartFault(f"{fault.msg} {fault.hint}", Exit.ENVIRONMENT)
    for fault in check_relay_secret():
        raise StartFault(f"{fault.msg} {fault.hint}", Exit.SECRET)


def data_folder() -> Path:
    """Return RUNNER_DATA_DIR."""
    return env.path("RUNNER_DATA_DIR") or env.ROOT / "data"


def run_folder() -> Path:
    """Return the folder of what describes the running processes."""
    return data_folder() / "run"


def _check_secrets() -> None:
    for fault in checks.check_secrets():
        raise StartFault(f"{fault.msg} {fault.hint}", Exit.SECRET)


def check_writable(folder: Path) -> None:
    """Make the folder and write into it: only that says whether the next write will succeed."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "run").mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"?")
    except OSError as error:
        reason = error.strerror or error
        raise StartFault(
            f"Cannot write to {folder}: {reason}. Make it writable, or set RUNNER_DATA_DIR to another.",
            Exit.FOLDER,
        ) from error


def _lock(folder: Path) -> None:
    """Take the folder for this process until it ends; two supervisors would fight over it."""
    descriptor = os.open(folder / "run" / "up.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StartFault(
            f"Another pirunner uses {folder}: stop that one, or set RUNNER_DATA_DIR to another folder.",
            Exit.RUNNING,
        ) from error
