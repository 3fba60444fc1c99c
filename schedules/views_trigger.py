"""The address that systemd's timers ring at: ``POST /internal/systemd/trigger/<id>``."""

from django.conf import settings
from django.http import HttpResponse
from rest_framework.request import Request

from pirunner.access import same_secret
from pirunner.api import ApiView, json_response
from pirunner.errors import ApiError, NotFound
from schedules.firing import ring_timer
from schedules.models import Schedule
from schedules.rules import Backend

HEADER = "x-installer-token"


class UnauthorizedInstaller(ApiError):
    """The request carries no valid installer's token, or none is configured."""

    status = 401
    code = "unauthorized_installer"


class TriggerView(ApiView):
    """``/internal/systemd/trigger/<id>``, for the installer's token only."""

    authentication_classes = ()

    def post(self, request: Request, schedule_id: str) -> HttpResponse:
        """Fire what is due of a schedule; ringing again for the same due time answers the same job."""
        if not same_secret(request.headers.get(HEADER, ""), settings.INSTALLER_TOKEN):
            raise UnauthorizedInstaller(f"Send the header '{HEADER}' with INSTALLER_TOKEN, which must not be empty.")
        found = Schedule.objects.kept().filter(public_id=schedule_id, backend=Backend.SYSTEMD.value).first()
        if found is None:
            raise NotFound(f"There is no schedule {schedule_id[:80]!r} of systemd's.")
        schedule, job_id = ring_timer(found.pk)
        queued = None if job_id is None else str(job_id)
        return json_response({"ok": True, "scheduleId": schedule.public_id, "queuedJobId": queued})
