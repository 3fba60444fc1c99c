"""Messages to the owner's services in the admin, for reading. ``webhooks.admin`` imports it, where Django looks."""

from django.contrib import admin
from django.utils.html import format_html
from unfold.decorators import display

from pirunner.admin_pages import ReadOnlyAdmin, short_moment
from pirunner.keyset_list import KeysetAdmin
from webhooks.models import Notice


@admin.register(Notice)
class NoticeAdmin(KeysetAdmin, ReadOnlyAdmin):
    """What the relay told whom, newest first."""

    list_display = ("text_shown", "state_shown", "target", "attempts", "last_error", "made")
    list_filter = ("state",)
    list_filter_sheet = True
    empty_template = "admin/webhooks/notice/empty.html"

    @display(description="Message")  # type: ignore[untyped-decorator]
    def text_shown(self, notice: Notice) -> str:
        """Return the beginning of the text."""
        return str(notice)

    @display(description="State")  # type: ignore[untyped-decorator]
    def state_shown(self, notice: Notice) -> str:
        """Return the state, in a colour and in a word."""
        colours = {Notice.State.SENT: "delivered"}
        state = Notice.State(notice.state)
        return format_html('<span class="pr-badge" data-state="{}">{}</span>', colours.get(state, state), state)

    @display(description="Made")  # type: ignore[untyped-decorator]
    def made(self, notice: Notice) -> str:
        """Return when it was made."""
        moment = notice.created_at
        return format_html('<time data-ago datetime="{}">{}</time>', moment.isoformat(), short_moment(moment))
