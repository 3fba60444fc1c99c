"""All addresses."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.generic import RedirectView

from pirunner.api import error_response
from pirunner.errors import ApiError, NotFound
from pirunner.health import HealthView
from pirunner.installer_status import InstallerStatusView

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("health", HealthView.as_view()),
    path("installer/status", InstallerStatusView.as_view()),
    path("", include("schedules.urls")),  # first: some of the addresses of jobs are a schedule's too
    path("", include("jobs.urls")),
    path("", include("webhooks.urls")),
    path("admin/", admin.site.urls),
]


class InternalError(ApiError):
    """A fault of ours; it is in the log."""

    status = 500
    code = "internal_error"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown address."""
    del exception
    return error_response(NotFound(f"There is nothing at {request.path[:200]}."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses."""
    del request, exception
    return error_response(ApiError("The request is malformed."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something of ours broke."""
    del request
    return error_response(InternalError("Something went wrong here; it is in the server's log."))


handler400 = bad_request
handler404 = not_found
handler500 = server_error
