"""Where the pages of jobs are, and who may see and do what."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse

from jobs.admin.confirming import confirm_act
from jobs.admin.files import send_file, show_preview
from jobs.admin.fragments import show_earlier_lines, show_live
from jobs.admin.lists import show_list
from jobs.admin.page import show_page
from jobs.admin.submitting import submit_page
from jobs.models import Job
from pirunner.admin_pages import ReadOnlyAdmin

View = Callable[..., HttpResponseBase]


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs: pages of our own in the frame of the admin."""

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, ours before those of Django that take anything for an id."""
        ours = [
            path("submit/", self._for_viewers(submit_page), name="jobs_job_submit"),
            path("acts/", self._for_viewers(confirm_act), name="jobs_job_acts"),
            path("files/<str:artifact_id>/", self._for_viewers(send_file), name="jobs_job_file"),
            path("files/<str:artifact_id>/preview/", self._for_viewers(show_preview), name="jobs_job_preview"),
            path("<str:job_id>/live/", self._for_viewers(show_live), name="jobs_job_live"),
            path("<str:job_id>/log/", self._for_viewers(show_earlier_lines), name="jobs_job_log"),
        ]
        return [*ours, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list."""
        del extra_context
        self._require_view(request)
        return show_list(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page of a job."""
        del form_url, extra_context
        self._require_view(request)
        return show_page(request, object_id)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Lead to where a job is submitted by hand."""
        del form_url, extra_context
        self._require_view(request)
        return HttpResponseRedirect(reverse("admin:jobs_job_submit"))

    def _require_view(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied

    def _for_viewers(self, view: View) -> View:
        """Return a view that asks for a login, and for the permission to see jobs; the view itself may ask for more."""

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            self._require_view(request)
            return view(request, *args, **kwargs)

        return update_wrapper(self.admin_site.admin_view(guarded), view)
