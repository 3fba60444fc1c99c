"""``/health``: whether a job submitted now would run, part by part."""

import shutil
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from installer.status import read_status
from jobs import canary
from pirunner.api import ApiView, json_response
from pirunner.installer_status import installer_state
from pirunner.signs import RELAY, Signs, all_signs
from schedules.selectors import has_systemd_schedules, lateness

LEAST_FREE_BYTES = 50 * 1024 * 1024
LATEST_FIRES = 100
LATE_SECONDS = 5.0


class HealthView(ApiView):
    """``/health``, without a token."""

    authentication_classes = ()

    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002  (every view gets the request)
        """Return 200, or 503 with ``ok: false`` when a job submitted now would not run."""
        health = examine(all_signs())
        return json_response(health, 200 if health["ok"] else 503)


def examine(signs: Signs | None) -> dict[str, Any]:
    """Return the state of each part, and whether a job submitted now would run.

    ``signs`` is what the processes show of themselves (``pirunner.signs.all_signs``), None if the broker is silent.
    """
    broker = {"state": "down" if signs is None else "ok"}
    processes = {"workers": _role(signs, "worker"), "beat": _role(signs, "clock")}
    parts = {"database": _database(), "broker": broker, **processes, "canary": _canary(), "disk": _disk()}
    ok = all(part["state"] == "ok" for part in parts.values())
    # These are told beside them: jobs run without a relay, and schedules without timers of systemd's.
    beside = {"relay": _relay(signs), "installer": _installer(), "schedules": _schedules()}
    return {"ok": ok, "service": "api", **parts, **beside}


def _database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return {"state": "down"}
    return {"state": "ok"}


def _role(signs: Signs | None, role: str) -> dict[str, Any]:
    if signs is None:
        return {"state": "unknown"}
    names = signs.get(role, {})
    return {"state": "ok" if names else "down", "alive": len(names)}


def _relay(signs: Signs | None) -> dict[str, Any]:
    """Return whether callbacks are taken for the owner's phone; another machine's relay counts too."""
    if not settings.RELAY:
        return {"state": "off"}
    if signs is None:
        return {"state": "unknown"}
    return {"state": "ok" if signs.get(RELAY) else "silent"}


def _installer() -> dict[str, Any]:
    """Return whether somebody brings systemd's timers in line; the clock fires what they leave out."""
    try:
        wanted = has_systemd_schedules()
    except DatabaseError:
        return {"state": "unknown"}
    return {"state": installer_state(read_status(settings.RUNNER_DATA_DIR) if wanted else None, wanted=wanted)}


def _schedules() -> dict[str, Any]:
    """Return how late the latest due times were fired, in seconds: half of them and all but one in a hundred."""
    try:
        late = lateness(LATEST_FIRES)
    except DatabaseError:
        return {"state": "unknown"}
    if not late:
        return {"state": "ok"}
    half, most = late[len(late) // 2], late[len(late) * 99 // 100]
    state = "late" if most > LATE_SECONDS else "ok"
    return {"state": state, "lateSecondsP50": round(half, 3), "lateSecondsP99": round(most, 3)}


def _canary() -> dict[str, Any]:
    """Return whether a worker answered when it was last asked, and how long ago one was heard."""
    now = timezone.now()
    try:
        age, silent = canary.age(now), canary.is_silent(now)
    except DatabaseError:
        return {"state": "unknown"}
    return {"state": "silent" if silent else "ok", "ageSeconds": age}


def _disk() -> dict[str, Any]:
    try:
        free = shutil.disk_usage(settings.RUNNER_DATA_DIR).free
    except OSError:  # the folder is gone, or the disk that held it
        return {"state": "down"}
    return {"state": "ok" if free > LEAST_FREE_BYTES else "full", "freeBytes": free}
