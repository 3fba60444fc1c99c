"""What the admin's pages of several apps share: rows that nobody edits, links, JSON and moments to read."""

import json
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timezone import localtime
from unfold.admin import ModelAdmin

from pirunner.callers import name_of_person

LONGEST_OWNER = 100
"""Characters of the columns that say who did something."""


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Rows that only pirunner itself writes."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody edits a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody deletes a row by hand; the services delete what belongs to it, too."""
        return False


def person_of(request: HttpRequest) -> str:
    """Return the name by which rows remember the person of a request."""
    return name_of_person(request.user.get_username())[:LONGEST_OWNER]


def short_moment(moment: datetime | None) -> str:
    """Return a moment in the owner's zone, short enough for one line of the list."""
    return date_format(localtime(moment), "j M Y, H:i:s") if moment else ""


def json_text(value: Any) -> str:
    """Return a JSON value as people read it; text that is no Unicode stays escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if _is_unicode(text) else json.dumps(value, indent=2)


def as_json(value: Any) -> str:
    """Return a JSON value as text with its line breaks; None is left to the admin's dash."""
    return "" if value is None else preformatted(json_text(value))


def preformatted(text: str) -> str:
    """Return text with its line breaks, escaped; what is empty is left to the admin's dash."""
    return format_html('<pre class="pr-code">{}</pre>', text) if text else ""


def admin_link(view: str, text: Any, *args: Any, query: str = "") -> str:
    """Return a link to a page of the admin."""
    address = reverse(f"admin:{view}", args=args) + query
    return format_html('<a class="pr-link" href="{}">{}</a>', address, text)


def _is_unicode(text: str) -> bool:
    """Return whether text can be sent: a handler's result may hold a lone surrogate, which UTF-8 cannot say."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
