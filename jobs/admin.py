"""The jobs in the admin, for reading."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from jobs.models import Artifact, Job


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Rows that only pirunner itself writes."""

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Nobody adds a row by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody edits a row by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody deletes a row by hand; the API deletes jobs with their files."""
        return False


class ArtifactInline(admin.TabularInline):  # type: ignore[type-arg]
    """The files of a job."""

    model = Artifact
    extra = 0
    fields = readonly_fields = ("name", "media_type", "size", "sha256")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, *_: Any) -> bool:  # noqa: ARG002
        """Nobody adds a file by hand."""
        return False


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Jobs, newest first."""

    list_display = ("id", "job_type", "state", "priority", "created_at", "finished_at", "summary")
    list_filter = ("state", "job_type")
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (ArtifactInline,)
