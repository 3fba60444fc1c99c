"""Flower inside the admin: a page of ours with Flower in a frame, and everything below it passed on.

Whoever may ``staff.view_flower`` reads; commands to workers (shut down, revoke, ...) need ``staff.change_flower``.
"""

from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.csrf import csrf_exempt

from jobs.results import task_name
from jobs.selectors import find_job
from pirunner.flower_proxy import FlowerDown, pass_on

_FIRST = "workers"
_READING = frozenset({"GET", "HEAD"})
_ALSO_READING = "tasks/datatable"
"""Flower's list of tasks is fetched with POST, and changes nothing."""


def flower(request: HttpRequest) -> HttpResponse:
    """Show Flower in a frame; with ``?job=<id>`` the tasks that had to do with a job."""
    _require(request, "staff.view_flower")
    if request.headers.get("Sec-Fetch-Dest") == "iframe":  # Flower's own link to its first page
        return HttpResponseRedirect(f"{reverse('admin:flower')}{_FIRST}")
    job_id = request.GET.get("job", "")
    context = {
        **admin.site.each_context(request),
        "title": f"Flower: job {job_id}" if job_id else "Flower",
        "is_off": not settings.FLOWER,
        "frame": reverse("admin:flower") + (_tasks_of(job_id) if job_id else _FIRST),
        "may_command": request.user.has_perm("staff.change_flower"),
    }
    return TemplateResponse(request, "admin/flower/page.html", context)


@csrf_exempt
def below(request: HttpRequest, place: str) -> HttpResponse:
    """Pass a request on to Flower, if this person may send it; says so when Flower is not there."""
    reads = request.method in _READING or place == _ALSO_READING
    _require(request, "staff.view_flower" if reads else "staff.change_flower")
    if request.method not in _READING and not _is_of_our_pages(request):
        raise PermissionDenied("This did not come from a page of this admin.")
    try:
        return pass_on(request)
    except FlowerDown:
        context = {"is_off": not settings.FLOWER}
        return TemplateResponse(request, "admin/flower/down.html", context, status=503)


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _is_of_our_pages(request: HttpRequest) -> bool:
    """Return whether a page of this address sent the request: Flower's scripts know no CSRF token of Django's."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("Origin", "")).netloc == request.get_host()


def _tasks_of(job_id: str) -> str:
    """Return where Flower lists the tasks that rang for a job, or ran it: its id is their argument, or in the result.

    Flower's address takes a name only; the rest of its search language may follow that.
    """
    job = find_job(job_id)
    if job is None:
        return "tasks"
    search = f'{task_name(job.job_type)} (args:"[{job.pk}]" OR result:"\'{job.pk}:")'
    return "tasks?" + urlencode({"name": search}, quote_via=quote)


urls = [
    path("flower/", admin.site.admin_view(flower), name="flower"),
    path("flower/<path:place>", admin.site.admin_view(below), name="flower_below"),
]
