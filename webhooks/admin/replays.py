"""Sending callbacks again from the admin, after a question; and trying a receiver."""

from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from pirunner.audit import Act, note_act
from pirunner.wording import counted
from webhooks.hosts import EgressError
from webhooks.listing import DeliveryFilter, deliveries_below
from webhooks.models import Delivery, DeliveryQuerySet
from webhooks.queries import read_host
from webhooks.replay import BATCH, MOST, replay_deliveries, replay_range
from webhooks.trial import send_test

TEMPLATE = "admin/webhooks/delivery/replay.html"


def replay_chosen(request: HttpRequest, chosen: DeliveryQuerySet, context: dict[str, Any]) -> HttpResponse | None:
    """Ask once, then make the chosen ones pending, and go back to the list."""
    if "confirmed" in request.POST:
        first = chosen.order_by("-pk").first()
        _tell(request, _replay_all(chosen), first)
        return None
    across = request.POST.get("select_across") == "1"
    ids = request.POST.getlist(ACTION_CHECKBOX_NAME)
    count = chosen.count()
    more = {
        "title": "Replay callbacks",
        "count": count,
        "ids": ids[:1] if across else ids,
        "across": across,
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, TEMPLATE, {**context, **more})


def replay_dead(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """Ask, then replay every dead letter, or those to one host."""
    back = reverse("admin:webhooks_delivery_changelist") + "?state=dead"
    try:
        host = read_host(request.GET["host"]) if request.GET.get("host") else None
    except ValueError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(back)
    wanted = DeliveryFilter(state=Delivery.State.DEAD, host=host)
    if request.method != "POST":
        count = deliveries_below(wanted).values("pk")[: MOST + 1].count()
        more = {
            "title": "Replay dead letters",
            "count": min(count, MOST),
            "there_are_more": count > MOST,
            "host": host,
            "back": back,
        }
        return TemplateResponse(request, TEMPLATE, {**context, **more})
    newest = deliveries_below(wanted).defer("body").first()
    _tell(request, replay_range(wanted).count, newest)
    return HttpResponseRedirect(back)


def replay_one(request: HttpRequest, delivery: Delivery) -> None:
    """Send one again; there is nothing to ask about."""
    _tell(request, replay_deliveries([delivery.pk]), delivery)


def try_receiver(request: HttpRequest, delivery: Delivery) -> None:
    """Send a signed test to the receiver of a delivery, and say what came back."""
    note_act(request, delivery, Act.CHANGED, "sent a test to its receiver")
    try:
        answer = send_test(delivery.url).answer
    except EgressError as error:
        messages.error(request, str(error))
        return
    outcome = f"{answer.status} after {answer.ms} ms. {answer.detail or answer.body}"[:500]
    messages.add_message(request, messages.SUCCESS if answer.delivered else messages.ERROR, outcome)


def _replay_all(chosen: DeliveryQuerySet) -> int:
    """Replay batch by batch, by id: what is replayed may no longer be among the chosen."""
    count, above = 0, 0
    while ids := list(chosen.filter(pk__gt=above).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        count += replay_deliveries(ids)
        above = ids[-1]
    return count


def _tell(request: HttpRequest, count: int, one: Delivery | None) -> None:
    if not count or one is None:
        messages.warning(request, "Nothing was replayed: it is being sent just now, or there was none.")
        return
    note_act(
        request, one, Act.CHANGED, "replayed" if count == 1 else f"replayed {count:,} deliveries, this one among them"
    )
    messages.success(request, f"{counted(count, 'callback')} will be sent again now.")
