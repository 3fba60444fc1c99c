"""What is looked at before anything is started, so that a fault is one sentence and not a crash loop."""

import fcntl
import importlib
import os
import tempfile
from pathlib import Path

from pirunner import checks, env
from pirunner.up import ports
from pirunner.up.faults import Exit, StartFault
from pirunner.up.roles import EVERYTHING, Role, secrets_of
from webhooks.checks import check_allowed_hosts, check_callback_url, check_secret
from webhooks.relay.checks import check_relay_secret, check_telegram


def check(roles: frozenset[Role] = EVERYTHING) -> None:
    """Look at secrets, folders and ports; raises StartFault or EnvironmentFault at the first fault."""
    _check_secrets(roles)
    folder = data_folder()
    check_writable(folder)
    _lock(folder, roles)
    if Role.API in roles:
        ports.require_free(env.text("HOST"), env.integer("PORT"), "PORT")
    if Role.IO in roles and env.switch("RELAY"):
        ports.require_free(env.text("CALLBACK_HOST"), env.integer("CALLBACK_PORT"), "CALLBACK_PORT")


def check_configuration() -> None:
    """Run the apps' own checks of the configuration, once the settings are read; raises StartFault."""
    # By name: this module is read before Django is, and a job type may use models.
    check_runner_jobs = importlib.import_module("jobs.checks").check_runner_jobs
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


def _check_secrets(roles: frozenset[Role]) -> None:
    needed = checks.CHECKED if roles == EVERYTHING else secrets_of(roles)
    for fault in checks.check_secrets(needed):
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


def _lock(folder: Path, roles: frozenset[Role]) -> None:
    """Take the folder for this process until it ends; two supervisors of the same parts would fight over it.

    The descriptors stay open, and outlive an exec: the private Redis keeps them.
    """
    if roles == EVERYTHING:
        fault = f"Another pirunner uses {folder}: stop that one, or set RUNNER_DATA_DIR to another folder."
        _take(folder / "run" / "up.lock", fcntl.LOCK_EX, fault)
        return
    _take(folder / "run" / "up.lock", fcntl.LOCK_SH, f"A whole pirunner uses {folder}: stop it before its parts start.")
    for role in sorted(roles):
        fault = f"The role {role} runs already on {folder}: stop that one, or set RUNNER_DATA_DIR to another folder."
        _take(folder / "run" / f"up-{role}.lock", fcntl.LOCK_EX, fault)


def _take(path: Path, how: int, fault: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        raise StartFault(fault, Exit.RUNNING) from error
    os.set_inheritable(descriptor, True)
