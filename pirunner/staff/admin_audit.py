"""The audit: who of the staff did what, newest first. ``pirunner.staff.admin`` imports it, where Django looks."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.utils.html import format_html
from unfold.decorators import display

from pirunner.admin_pages import ReadOnlyAdmin, short_moment
from pirunner.keyset_list import KeysetAdmin

ACTS = {ADDITION: "made", CHANGE: "changed", DELETION: "removed"}
COLOURS = {"made": "success", "changed": "info", "removed": "danger"}


@admin.register(LogEntry)
class AuditAdmin(KeysetAdmin, ReadOnlyAdmin):
    """What people did in the admin; what was done to schedules, by programs too, has a list of its own."""

    list_display = ("when", "user", "act", "said", "thing")
    list_display_links = None
    list_filter = ("action_flag", "user")
    list_select_related = ("user", "content_type")
    search_fields = ("user__username", "object_repr", "change_message")
    search_help_text = "A name, what was done, or to what."
    list_before_template = "admin/audit/tabs.html"
    fields = ("when", "user", "act", "said", "thing")

    class Media:
        css = {"all": ("pirunner/staff.css",)}

    @display(description="When", ordering="id")  # type: ignore[untyped-decorator]
    def when(self, entry: LogEntry) -> str:
        """Return when it was done, in the owner's zone."""
        return short_moment(entry.action_time)

    @display(description="Act", label=COLOURS)  # type: ignore[untyped-decorator]
    def act(self, entry: LogEntry) -> str:
        """Return what kind of act it was, in a colour."""
        return ACTS.get(entry.action_flag, "")

    @display(description="What")  # type: ignore[untyped-decorator]
    def said(self, entry: LogEntry) -> str:
        """Return what was done, in words."""
        return entry.get_change_message()

    @display(description="To")  # type: ignore[untyped-decorator]
    def thing(self, entry: LogEntry) -> Any:
        """Return what it was done to, with a link if that is still there to be looked at."""
        kind = entry.content_type.name if entry.content_type else "thing"
        name = f"{kind} {entry.object_repr}"
        address = None if entry.is_deletion() else entry.get_admin_url()
        return format_html('<a class="pr-link" href="{}">{}</a>', address, name) if address else name
