"""What stays of schedules in the admin: the names that people deleted, and who did what."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from pirunner.admin_pages import ReadOnlyAdmin
from pirunner.keyset_list import KeysetAdmin
from schedules.models import AuditEntry, Tombstone


@admin.register(Tombstone)
class TombstoneAdmin(ReadOnlyAdmin):
    """Names of schedules that people deleted."""

    list_display = ("name", "by", "at")
    search_fields = ("name",)
    ordering = ("name",)
    list_before_template = "admin/schedules/tombstone/explained.html"
    empty_template = "admin/schedules/tombstone/empty.html"

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this person may let programs make the name again."""
        return bool(ModelAdmin.has_delete_permission(self, request, obj))


@admin.register(AuditEntry)
class AuditEntryAdmin(KeysetAdmin, ReadOnlyAdmin):
    """Who did what to which schedule, newest first; also of those that are gone."""

    list_display = ("at", "action", "by", "name", "schedule_id", "details")
    search_fields = ("name", "schedule_id", "by")
