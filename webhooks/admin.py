"""Deliveries in the admin, to read, replay and try; and the secrets of endpoints, to write."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from webhooks.endpoints import EndpointRefused, canonical_prefix, checked_secret
from webhooks.hosts import EgressError, short_host_of
from webhooks.models import Delivery, DeliveryAttempt, DeliveryQuerySet, Endpoint
from webhooks.queries import read_host
from webhooks.relay import admin as relay_admin  # noqa: F401  (registers its own)
from webhooks.replay import BATCH, replay_deliveries
from webhooks.trial import send_test

COLOURS = {
    Delivery.State.PENDING: "warning",
    Delivery.State.DELIVERED: "success",
    Delivery.State.DEAD: "danger",
}
LARGEST_JOB_ID = 10**18
_WRAPPED = "white-space: pre-wrap; overflow-wrap: anywhere"


class ReadOnly:
    """What only pirunner itself writes."""

    def has_add_permission(self, *_: Any) -> bool:
        """Nobody adds one by hand."""
        return False

    def has_change_permission(self, *_: Any) -> bool:
        """Nobody changes one: its bytes were made once."""
        return False

    def has_delete_permission(self, *_: Any) -> bool:
        """Nobody deletes a callback that is owed; the clock removes old ones."""
        return False


class StateFilter(admin.SimpleListFilter):
    """By state, such that the index of the state is used."""

    title = "state"
    parameter_name = "state"

    def lookups(self, *_: Any) -> list[tuple[str, str]]:
        """Return the states."""
        return [(str(value), str(label)) for value, label in Delivery.State.choices]

    def queryset(self, _request: HttpRequest, rows: Any) -> Any:
        """Keep those of the state that was chosen."""
        match self.value():
            case Delivery.State.PENDING:
                return rows.pending()
            case Delivery.State.DEAD:
                return rows.dead()
            case Delivery.State.DELIVERED:
                return rows.filter(state=Delivery.State.DELIVERED)
        return rows


class AttemptInline(ReadOnly, TabularInline):  # type: ignore[misc]  # (unfold is untyped)
    """The attempts at a delivery."""

    model = DeliveryAttempt
    extra = 0
    ordering = ("number",)
    fields = readonly_fields = ("number", "at", "ms", "status", "error", "detail", "body")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Callbacks, newest first."""

    list_display = ("id", "event", "job_id", "host", "state_shown", "attempts", "last_status", "next_attempt_at")
    list_filter = (StateFilter,)
    search_fields = ("host",)
    search_help_text = "A job's id, or a host as it is written in the list."
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (AttemptInline,)
    actions = ("replay", "send_test")
    fieldsets = (
        (None, {"fields": ("event", "event_id", "job_id", "url", "host", "state_shown")}),
        ("Attempts", {"fields": ("attempts", "next_attempt_at", "sending", "last_status", "last_error")}),
        ("When", {"fields": ("created_at", "delivered_at")}),
        ("What is sent", {"fields": ("body_shown",)}),
    )

    @display(description="State", ordering="state", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_shown(self, delivery: Delivery) -> str:
        """Return the state, which the list shows in a colour."""
        return delivery.state

    @display(description="Body")  # type: ignore[untyped-decorator]
    def body_shown(self, delivery: Delivery) -> str:
        """Return the body, exactly as it is sent."""
        return format_html('<pre style="{}">{}</pre>', _WRAPPED, delivery.body)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the bodies out of the list."""
        rows = super().get_queryset(request)
        return rows if request.resolver_match and "object_id" in request.resolver_match.kwargs else rows.defer("body")

    def get_search_results(self, _request: HttpRequest, rows: DeliveryQuerySet, term: str) -> tuple[Any, bool]:
        """Find a job's deliveries, or those to a host, each by an index."""
        words = term.strip()
        if not words:
            return rows, False
        if words.isascii() and words.isdigit():
            return rows.filter(job_id=min(int(words[:19]), LARGEST_JOB_ID)), False
        try:
            return rows.filter(host=read_host(words)), False
        except ValueError:
            return rows.none(), False

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change deliveries may replay them."""
        return request.user.has_perm("webhooks.change_delivery")

    @admin.action(description="Replay: send again with a fresh signature", permissions=["replay"])
    def replay(self, request: HttpRequest, chosen: DeliveryQuerySet) -> HttpResponse | None:
        """Ask once, then make the chosen ones pending."""
        if "confirmed" not in request.POST:
            across = request.POST.get("select_across") == "1"
            context = {
                **self.admin_site.each_context(request),
                "title": "Replay callbacks",
                "opts": self.model._meta,  # noqa: SLF001  (Django documents it: the model _meta API)
                "count": chosen.count(),
                "ids": [] if across else request.POST.getlist(ACTION_CHECKBOX_NAME),
                "first_id": request.POST.getlist(ACTION_CHECKBOX_NAME)[:1],
                "across": across,
                "checkbox": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/webhooks/delivery/replay.html", context)
        count = _replay_all(chosen)
        self.message_user(request, f"{count} callbacks will be sent again now.", messages.SUCCESS)
        return None

    @admin.action(description="Send a test to the receiver", permissions=["replay"])
    def send_test(self, request: HttpRequest, chosen: DeliveryQuerySet) -> None:
        """Send a signed test to the receiver of the one that was chosen, and say what came back."""
        urls = list(chosen.values_list("url", flat=True)[:2])
        if len(urls) != 1:
            self.message_user(request, "Choose one delivery: the test goes to its receiver.", messages.WARNING)
            return
        try:
            answer = send_test(urls[0]).answer
        except EgressError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        outcome = f"{answer.status} after {answer.ms} ms. {answer.detail or answer.body}"[:500]
        self.message_user(request, outcome, messages.SUCCESS if answer.delivered else messages.ERROR)


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # (generic for the checker only)
    """A prefix, and a secret that can be written and not read."""

    new_secret = forms.CharField(
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="It is not shown again. Left empty, an existing one stays.",
    )

    class Meta:
        model = Endpoint
        fields = ("prefix",)

    def clean_prefix(self) -> str:
        """Return the prefix as it is compared."""
        try:
            return canonical_prefix(self.cleaned_data["prefix"])
        except EndpointRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def clean_new_secret(self) -> str:
        """Return a secret that can sign."""
        secret = str(self.cleaned_data["new_secret"])
        if not secret and self.instance.pk:
            return ""
        try:
            return checked_secret(secret)
        except EndpointRefused as refusal:
            raise forms.ValidationError(str(refusal)) from None


@admin.register(Endpoint)
class EndpointAdmin(ModelAdmin):  # type: ignore[misc]  # (unfold is untyped)
    """Receivers with a secret of their own."""

    form = EndpointForm
    list_display = ("prefix", "previous_until", "created_at")
    fields = ("prefix", "new_secret", "previous_until", "created_at")
    readonly_fields = ("previous_until", "created_at")

    def save_model(self, request: HttpRequest, endpoint: Endpoint, form: Any, change: bool) -> None:
        """Keep the endpoint, with the new secret if there is one; the old one ends at once."""
        secret = form.cleaned_data["new_secret"]
        if secret:
            endpoint.secret, endpoint.previous_secret, endpoint.previous_until = secret, "", None
        if not change:
            endpoint.created_at = timezone.now()
        endpoint.host = short_host_of(endpoint.prefix)
        super().save_model(request, endpoint, form, change)


def _replay_all(chosen: DeliveryQuerySet) -> int:
    """Replay batch by batch, by id: what is replayed may no longer be among the chosen."""
    count, above = 0, 0
    while ids := list(chosen.filter(pk__gt=above).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        count += replay_deliveries(ids)
        above = ids[-1]
    return count
