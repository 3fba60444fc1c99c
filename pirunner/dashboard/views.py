"""The front page of the admin, and its panels one by one, for htmx to look again."""

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_GET

from pirunner.dashboard.look import Look
from pirunner.dashboard.panels import find_panel, panels_for
from pirunner.dashboard.shell import address_of

STYLE, SCRIPT = "pirunner/dashboard.css", "pirunner/dashboard.js"


def front_page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return what the template of the front page shows (unfold's ``DASHBOARD_CALLBACK``)."""
    look = Look(request.user)
    panels = [panel.render(request, look).html for panel in panels_for(look)]
    files = {"dashboard_style": address_of(STYLE), "dashboard_script": address_of(SCRIPT)}
    return {**context, **files, "title": "Dashboard", "panels": panels}


@require_GET
def panel(request: HttpRequest, name: str) -> HttpResponse:
    """Return one panel as it is now; 204 if it is what the browser has (``?seen=``)."""
    if not admin.site.has_permission(request):
        # A login page inside of a panel helps nobody: the browser loads the page again, which leads there.
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    found, look = find_panel(name), Look(request.user)
    if found is None or not look.may(*found.permissions):
        raise Http404
    rendered = found.render(request, look)
    is_same = request.GET.get("seen") == rendered.digest
    response = HttpResponse(status=204) if is_same else HttpResponse(rendered.html)
    patch_cache_control(response, no_store=True)
    return response
