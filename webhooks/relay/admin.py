"""Messages to the owner's services in the admin, for reading. ``webhooks.admin`` imports it, where Django looks."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import display

from webhooks.models import Notice

COLOURS = {
    Notice.State.PENDING: "warning",
    Notice.State.SENT: "success",
    Notice.State.DEAD: "danger",
}


@admin.register(Notice)
class NoticeAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """What the relay told whom, newest first."""

    list_display = ("id", "text_shown", "target", "state_shown", "attempts", "next_attempt_at", "last_error")
    list_filter = ("state",)
    ordering = ("-id",)
    show_full_result_count = False

    @display(description="Message")  # type: ignore[untyped-decorator]
    def text_shown(self, notice: Notice) -> str:
        """Return the beginning of the text."""
        return str(notice)

    @display(description="State", ordering="state", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_shown(self, notice: Notice) -> str:
        """Return the state, which the list shows in a colour."""
        return notice.state

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Messages are made from callbacks."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Change nothing: it was told like this."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Its row drops a callback that comes twice."""
        return False
