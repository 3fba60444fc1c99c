"""Deliveries in the admin, newest first: the list, and the page of each with its attempts."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import display

from pirunner.admin_pages import ReadOnlyAdmin, admin_link, short_moment
from pirunner.keyset_list import KeysetAdmin, KeysetChangeList
from pirunner.own_page import OwnPageAdmin
from webhooks.admin.replays import replay_chosen, replay_dead, replay_one, try_receiver
from webhooks.admin.words import readable, took, trouble_of
from webhooks.listing import LARGEST_ID, attempts_of
from webhooks.models import Delivery, DeliveryQuerySet, FailingHost
from webhooks.queries import read_host

RESTING = 10
"""How many failing hosts the list names."""


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


class DeliveryChangeList(KeysetChangeList):
    """A page of deliveries, and the hosts that do not take any just now."""

    def get_results(self, request: HttpRequest) -> None:
        """Fetch the page and the hosts."""
        super().get_results(request)
        self.only_dead = request.GET.get("state") == Delivery.State.DEAD
        self.may_replay = self.model_admin.has_replay_permission(request)
        now = timezone.now()
        self.resting = list(FailingHost.objects.filter(paused_until__gt=now).order_by("paused_until")[:RESTING])


@admin.register(Delivery)
class DeliveryAdmin(KeysetAdmin, OwnPageAdmin, ReadOnlyAdmin):
    """Callbacks, newest first."""

    gone = "There is no such delivery; old ones are removed after a while."
    list_display = ("title", "state_shown", "job", "attempts", "trouble", "next_attempt", "created")
    list_filter = (StateFilter,)
    list_filter_sheet = True
    search_fields = ("host",)
    search_help_text = "A job's id, or a host as it is written in the list."
    actions = ("replay", "send_test")
    change_list_template = "admin/webhooks/delivery/list.html"
    empty_template = "admin/webhooks/delivery/empty.html"

    # -- the list -----------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave the bodies out of the list."""
        rows = super().get_queryset(request)
        return rows if request.resolver_match and "object_id" in request.resolver_match.kwargs else rows.defer("body")

    def get_changelist(self, request: HttpRequest, **_: Any) -> type[KeysetChangeList]:  # noqa: ARG002
        """Return the list that knows the failing hosts."""
        return DeliveryChangeList

    def get_search_results(self, _request: HttpRequest, rows: DeliveryQuerySet, term: str) -> tuple[Any, bool]:
        """Find a job's deliveries, or those to a host, each by an index."""
        words = term.strip()
        if not words:
            return rows, False
        if words.isascii() and words.isdigit():
            return rows.filter(job_id=min(int(words[:19]), LARGEST_ID)), False
        try:
            return rows.filter(host=read_host(words)), False
        except ValueError:
            return rows.none(), False

    @display(description="Callback")  # type: ignore[untyped-decorator]
    def title(self, delivery: Delivery) -> str:
        """Return the event, and the host that it goes to."""
        told = '<span class="sc-two"><span class="pr-title">{}</span> <span class="pr-subtle sc-under">{}</span></span>'
        return format_html(told, delivery.event, delivery.host)

    @display(description="State")  # type: ignore[untyped-decorator]
    def state_shown(self, delivery: Delivery) -> str:
        """Return the state, in a colour and in a word."""
        return format_html('<span class="pr-badge" data-state="{0}">{0}</span>', delivery.state)

    @display(description="Job")  # type: ignore[untyped-decorator]
    def job(self, delivery: Delivery) -> str:
        """Return a link to the job that it tells of."""
        return admin_link("jobs_job_change", delivery.job_id, delivery.job_id)

    @display(description="Last trouble")  # type: ignore[untyped-decorator]
    def trouble(self, delivery: Delivery) -> str:
        """Return in words why the last attempt failed."""
        return trouble_of(delivery)

    @display(description="Next attempt")  # type: ignore[untyped-decorator]
    def next_attempt(self, delivery: Delivery) -> str:
        """Return when it is tried next; that it is being sent, while it is."""
        moment = delivery.next_attempt_at
        if delivery.state != Delivery.State.PENDING or moment is None:
            return ""
        if delivery.sending and moment > timezone.now():
            return "being sent"
        told = '<time data-until datetime="{}">{}</time>'
        return format_html(told, moment.isoformat(), short_moment(moment))

    @display(description="Made")  # type: ignore[untyped-decorator]
    def created(self, delivery: Delivery) -> str:
        """Return when it was made."""
        moment = delivery.created_at
        return format_html('<time data-ago datetime="{}">{}</time>', moment.isoformat(), short_moment(moment))

    # -- the pages ----------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses of the pages, before Django's own."""
        wrap = self.admin_site.admin_view
        return [
            path("replay-dead/", wrap(self.replay_dead_view), name="webhooks_delivery_replay_dead"),
            path("<int:number>/act/", wrap(self.act_view), name="webhooks_delivery_act"),
            *super().get_urls(),
        ]

    def page_of(self, request: HttpRequest, delivery: Delivery) -> HttpResponse:
        """Show a delivery with its attempts."""
        now = timezone.now()
        context = {
            **self._context(request, title=str(delivery), original=delivery),
            "delivery": delivery,
            "trouble": trouble_of(delivery, longest=1000),
            "attempts": [{"attempt": attempt, "took": took(attempt.ms)} for attempt in attempts_of(delivery)],
            "body": readable(delivery.body),
            "resting": FailingHost.objects.filter(host=delivery.host, paused_until__gt=now).first(),
            "may_replay": self.has_replay_permission(request),
            "may_see_jobs": request.user.has_perm("jobs.view_job"),
        }
        return TemplateResponse(request, "admin/webhooks/delivery/page.html", context)

    def act_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """Replay one, or try its receiver, and go back to its page."""
        self._check_may_replay(request)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        delivery = get_object_or_404(Delivery.objects.defer("body"), pk=number)
        act = {"replay": replay_one, "test": try_receiver}.get(request.POST.get("act", ""))
        if act is None:
            raise Http404
        act(request, delivery)
        return HttpResponseRedirect(reverse("admin:webhooks_delivery_change", args=[delivery.pk]))

    def replay_dead_view(self, request: HttpRequest) -> HttpResponse:
        """Ask, then replay all dead letters."""
        self._check_may_replay(request)
        return replay_dead(request, self._context(request))

    # -- what is done to many -----------------------------------------------------------------------------------

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Who may change deliveries may replay them."""
        return request.user.has_perm("webhooks.change_delivery")

    @admin.action(description="Replay: send again with a fresh signature", permissions=["replay"])
    def replay(self, request: HttpRequest, chosen: DeliveryQuerySet) -> HttpResponse | None:
        """Ask once, then make the chosen ones pending."""
        return replay_chosen(request, chosen, self._context(request))

    @admin.action(description="Send a test to the receiver", permissions=["replay"])
    def send_test(self, request: HttpRequest, chosen: DeliveryQuerySet) -> None:
        """Send a signed test to the receiver of the one that was chosen, and say what came back."""
        rows = list(chosen.defer("body")[:2])
        if len(rows) == 1:
            try_receiver(request, rows[0])
        else:
            messages.warning(request, "Choose one delivery: the test goes to its receiver.")

    def _context(self, request: HttpRequest, **more: Any) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "opts": self.model._meta, **more}  # noqa: SLF001  (documented)

    def _check_may_replay(self, request: HttpRequest) -> None:
        if not self.has_replay_permission(request):
            raise PermissionDenied
