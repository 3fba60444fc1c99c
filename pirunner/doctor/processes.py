"""The processes: which run, which show signs of life, whether a job submitted now would run."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from pirunner import running
from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.signs import alive
from pirunner.up import ports
from pirunner.up.faults import StartFault

ROLES = {"worker": "Jobs wait", "clock": "Nothing becomes due"}
BESIDE = frozenset({"relay", "installer", "schedules"})
"""Parts of /health that are looked at elsewhere, or that jobs run without."""


def look() -> Iterator[Finding]:
    """Look at the processes of this machine, and at what the API says."""
    told = running.health()
    is_up = running.is_up()
    if told is None and not is_up:
        yield warning("pirunner", "does not run here", "Start it: scripts/run.")
        yield from _ports()
        return
    yield ok("pirunner", "runs" if is_up else "its API answers; the processes are not those of scripts/run")
    if told is None:
        mend = "It may be starting; else look at its log, and restart it."
        yield problem("API", f"does not answer on port {settings.PORT}", mend)
    else:
        yield from parts(told)
    for role, consequence in ROLES.items():
        yield _role(role, consequence)


def parts(told: Mapping[str, Any]) -> Iterator[Finding]:
    """Look at the parts of an answer of ``/health``."""
    yield ok("API", f"answers on port {settings.PORT}")
    for name, part in told.items():
        if not isinstance(part, Mapping) or name in BESIDE:
            continue
        state = part.get("state")
        if state not in {"ok", "off"}:
            yield problem(f"/health {name}", str(state), _MENDS.get(name, "Look at the log, and restart pirunner."))
    if told.get("ok"):
        yield ok("/health", "a job submitted now would run")


_MENDS = {
    "database": "Look at the findings about the database.",
    "broker": "Look at the findings about the broker.",
    "workers": "Restart pirunner; its log says why the worker ended.",
    "beat": "Restart pirunner; its log says why the clock ended.",
    "canary": "The workers live but do not listen; pirunner restarts them by itself within two minutes.",
    "disk": "Make room: manage.py prune --all.",
}


def _role(role: str, consequence: str) -> Finding:
    names = alive(role)
    if names is None:
        return warning(role, "unknown, because the broker does not answer", "Look at the findings about the broker.")
    if not names:
        return problem(role, f"no sign of life for 30 s. {consequence}.", "Restart pirunner; its log says more.")
    return ok(role, f"{len(names)} alive: {', '.join(names[:4])}")


def _ports() -> Iterator[Finding]:
    wanted = [(settings.HOST, settings.PORT, "PORT")]
    if settings.RELAY:
        wanted.append((settings.CALLBACK_HOST, settings.CALLBACK_PORT, "CALLBACK_PORT"))
    for host, port, variable in wanted:
        try:
            ports.require_free(host, port, variable)
        except StartFault as fault:
            yield problem(variable, f"{port} cannot be listened on", str(fault))
        else:
            yield ok(variable, f"{port} is free")
