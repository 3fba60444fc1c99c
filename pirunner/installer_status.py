"""``/installer/status``: what the installer of systemd's timers tells of itself, beside what it should know."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from installer.status import Status, read_status
from pirunner.api import ApiView, caller_of, json_response
from pirunner.callers import Scope
from schedules.selectors import systemd_schedules


class InstallerStatusView(ApiView):
    """``/installer/status``: the last sync, and each schedule's timer."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request) -> HttpResponse:
        """Return the installer's own account, and the schedules that it has not taken up yet."""
        caller_of(request).check_sees_all()
        status = read_status(settings.RUNNER_DATA_DIR)
        wanted = systemd_schedules()
        known = status.manifests if status else {}
        answer: dict[str, Any] = {
            "state": installer_state(status, wanted=bool(wanted)),
            "pending": sorted(set(wanted) - set(known)),
            "schedules": len(wanted),
            "installer": status.as_dict() if status else None,
        }
        return json_response(answer)


def installer_state(status: Status | None, *, wanted: bool) -> str:
    """Return ``ok``, ``silent`` when the installer has not been heard of for long, or ``absent`` when it never was.

    If it is not ``wanted``, because no schedule is systemd's, it is ``unused``.
    """
    if not wanted:
        return "unused"
    if status is None:
        return "absent"
    return "silent" if status.is_silent(timezone.now()) else "ok"


def last_account() -> Status | None:
    """Return what the installer told last; None if it never did."""
    return read_status(settings.RUNNER_DATA_DIR)
