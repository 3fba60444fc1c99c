"""Deliveries in the admin, for reading."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from webhooks.models import Delivery

COLOURS = {
    Delivery.State.PENDING: "warning",
    Delivery.State.DELIVERED: "success",
    Delivery.State.DEAD: "danger",
}


@admin.register(Delivery)
class DeliveryAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Callbacks, newest first."""

    list_display = ("id", "event", "job_id", "url", "state_shown", "attempts", "last_status", "next_attempt_at")
    list_filter = ("state", "event")
    ordering = ("-id",)
    show_full_result_count = False

    @display(description="State", ordering="state", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_shown(self, delivery: Delivery) -> str:
        """Return the state, which the list shows in a colour."""
        return delivery.state

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Deliveries are made by the jobs that end."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Their bytes were made once."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Nobody deletes a callback that is owed."""
        return False
