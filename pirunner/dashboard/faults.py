"""The pages that nobody wants to see: nothing there, not allowed, a form that is too old, something broke."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

NOT_FOUND = ("There is nothing here", "The page may have moved, or what it was about has been removed.")
FORBIDDEN = ("You may not see this", "Ask who administers this pirunner for the permission.")
OLD_FORM = (
    "The form was too old",
    "It was opened before you logged in, or the browser sends no cookies. Go back, load the page again, and repeat it.",
)
BROKEN = ("Something went wrong", "The server's log says what. Nothing that was accepted is lost.")


def page_not_found(request: HttpRequest) -> HttpResponse:
    """Say that there is nothing at this address."""
    return _page(request, 404, NOT_FOUND)


def page_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Say that this person may not see it."""
    del exception
    return _page(request, 403, FORBIDDEN)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Say that a form cannot be trusted."""
    del reason
    return _page(request, 403, OLD_FORM)


def page_broken(request: HttpRequest) -> HttpResponse:
    """Say that something broke; this asks nothing of the database."""
    context = {"heading": BROKEN[0], "sentence": BROKEN[1], "status": 500}
    return render(request, "admin/500.html", context, status=500)


def _page(request: HttpRequest, status: int, words: tuple[str, str]) -> HttpResponse:
    """Return the page within the shell, as far as the person may see that."""
    heading, sentence = words
    context = {"title": heading, "heading": heading, "sentence": sentence, "status": status}
    if hasattr(request, "user") and admin.site.has_permission(request):
        return render(request, "admin/fault.html", {**admin.site.each_context(request), **context}, status=status)
    return render(request, "admin/fault_outside.html", {**_outside(request), **context}, status=status)


def _outside(request: HttpRequest) -> dict[str, object]:
    """Return the surroundings without what only the staff sees."""
    return {**admin.site.each_context(request), "has_permission": False}
