"""All addresses."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import include, path
from django.views.generic import RedirectView

from pirunner import flower_pages
from pirunner.api import error_response
from pirunner.dashboard import faults
from pirunner.dashboard.shell import ICON
from pirunner.errors import ApiError, NotFound
from pirunner.health import HealthView
from pirunner.installer_page import urls as installer_urls
from pirunner.installer_status import InstallerStatusView
from pirunner.metrics.views import MetricsView
from pirunner.middleware import is_page

# Unfold's site takes addresses of ours from this attribute.
admin.site.extra_urls = installer_urls  # type: ignore[attr-defined]

urlpatterns = [
    path("", RedirectView.as_view(url="/admin/")),
    path("health", HealthView.as_view()),
    path("metrics", MetricsView.as_view()),
    path("installer/status", InstallerStatusView.as_view()),
    path("", include("schedules.urls")),  # first: some of the addresses of jobs are a schedule's too
    path("", include("jobs.urls")),
    path("", include("webhooks.urls")),
    path("favicon.ico", RedirectView.as_view(url=static(ICON))),
    path("admin/dashboard/", include("pirunner.dashboard.urls")),
    path("admin/", ([*flower_pages.urls, *admin.site.get_urls()], "admin", admin.site.name)),
]


class InternalError(ApiError):
    """A fault of ours; it is in the log."""

    status = 500
    code = "internal_error"


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown address."""
    del exception
    if is_page(request):
        return faults.page_not_found(request)
    return error_response(NotFound(f"There is nothing at {request.path[:200]}."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself refuses."""
    del request, exception
    return error_response(ApiError("The request is malformed."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer when something of ours broke."""
    if is_page(request):
        return faults.page_broken(request)
    return error_response(InternalError("Something went wrong here; it is in the server's log."))


handler400 = bad_request
handler403 = faults.page_forbidden
handler404 = not_found
handler500 = server_error
