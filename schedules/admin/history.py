"""What stays of schedules in the admin: the names that people deleted, and who did what."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from pirunner.admin_pages import ReadOnlyAdmin, short_moment
from pirunner.keyset_list import KeysetAdmin
from schedules.models import AuditEntry, Tombstone


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    """Names of schedules that people deleted."""

    list_display = ("name", "by", "deleted")
    search_fields = ("name",)
    ordering = ("name",)
    list_before_template = "admin/schedules/tombstone/explained.html"
    empty_template = "admin/schedules/tombstone/empty.html"

    @display(description="Deleted", ordering="at")  # type: ignore[untyped-decorator]
    def deleted(self, tombstone: Tombstone) -> str:
        """Return when the schedule of this name was deleted."""
        return short_moment(tombstone.at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may let programs make the name again."""
        return bool(ModelAdmin.has_delete_permission(self, request, obj))


@admin.register(AuditEntry)
class AuditEntryAdmin(KeysetAdmin, ReadOnlyAdmin):
    """Who did what to which schedule, newest first; also of those that are gone."""

    list_display = ("when", "action", "by", "name", "schedule_id", "details")
    search_fields = ("name", "schedule_id", "by")

    @display(description="When")  # type: ignore[untyped-decorator]
    def when(self, entry: AuditEntry) -> str:
        """Return when it was done."""
        return short_moment(entry.at)
