"""What surrounds every page: its stylesheets and scripts, its icon, and no inline style.

Unfold writes its colours into each page as a ``<style>``, unless there are none. They are in ``theme.css`` instead, so
that the Content-Security-Policy allows stylesheets of our own only.
"""

import functools
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from unfold.dataclasses import Favicon

from pirunner.version import version

ICON = "pirunner/favicon.svg"
STYLES = ("pirunner/theme.css", "pirunner/pages.css")
SCRIPTS = ("pirunner/pages.js",)


def address_of(file: str) -> str:
    """Return where a static file of ours is; another version of pirunner has another address."""
    return f"{static(file)}?{_version()}"


def surroundings(request: HttpRequest) -> dict[str, Any]:  # noqa: ARG001  (unfold gives it)
    """Return what every page of the admin shows around itself (unfold's ``GLOBAL_CALLBACK``)."""
    return {
        "colors": None,
        "styles": [address_of(file) for file in STYLES],
        "scripts": [address_of(file) for file in SCRIPTS],
        "site_icon": static(ICON),
        "site_favicons": [Favicon(href=static(ICON), rel="icon", sizes="any", type="image/svg+xml")],
    }


@functools.cache
def _version() -> str:
    return version()
