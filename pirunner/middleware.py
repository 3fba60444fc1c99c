"""Django's middleware for pages, kept away from the API.

Sessions, cookies and CSRF belong to the admin; the API knows bearer tokens only. Passing it by makes the API a third
faster, and no cookie can ever matter there. They are subclasses, so that Django's checks find what the admin needs.
"""

from typing import Any

from csp.middleware import CSPMiddleware
from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest, HttpResponseBase
from django.middleware import clickjacking, csrf

PAGES = ("/admin/",)
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation"),
        *("gyroscope", "magnetometer", "microphone", "midi", "payment", "usb", "xr-spatial-tracking"),
    )
)


def is_page(request: HttpRequest) -> bool:
    """Return whether a request is for a page and not for the API."""
    return request.path_info.startswith(PAGES)


class ForPages:
    """Makes a middleware step aside for everything but pages."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        """Do what the middleware does for a page, and nothing for the API."""
        return super().__call__(request) if is_page(request) else self.get_response(request)  # type: ignore[misc]


class SessionMiddleware(ForPages, sessions.SessionMiddleware):
    """Sessions, for pages."""


class CsrfViewMiddleware(ForPages, csrf.CsrfViewMiddleware):
    """Protection of forms, for pages."""

    def process_view(self, request: HttpRequest, *args: Any) -> Any:
        """Check a form of a page."""
        return super().process_view(request, *args) if is_page(request) else None


class AuthenticationMiddleware(ForPages, auth.AuthenticationMiddleware):
    """Who is logged in, for pages."""


class MessageMiddleware(ForPages, messages.MessageMiddleware):
    """Messages to the user, for pages."""


class XFrameOptionsMiddleware(ForPages, clickjacking.XFrameOptionsMiddleware):
    """No foreign frames, for pages."""


class PolicyMiddleware(ForPages, CSPMiddleware):
    """What a page may load and use: nothing from elsewhere, and nothing of the device."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Write both policies into the answer."""
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return super().process_response(request, response)
