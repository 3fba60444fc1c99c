"""The API of deliveries: HTTP in, listing and replay, HTTP out."""

from functools import partial
from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from pirunner.api import ApiView, caller_of, json_response, next_link, read_json
from pirunner.callers import Scope
from pirunner.errors import Fault, InvalidPayload
from webhooks.egress import EgressError
from webhooks.listing import attempts_of, get_delivery, list_deliveries, no_delivery
from webhooks.models import Delivery
from webhooks.ownership import own_deliveries, own_of
from webhooks.queries import page_asked_for, range_of
from webhooks.replay import replay_deliveries, replay_range
from webhooks.serializers import read_delivery, read_delivery_whole, read_trial
from webhooks.trial import send_test

LONGEST_URL = 2048


class DeliveriesView(ApiView):
    """``/deliveries``: callbacks, newest first."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request) -> HttpResponse:
        """List deliveries; the next page is in the ``Link`` header."""
        wanted, limit = page_asked_for(request)
        only = caller_of(request).only
        page = list_deliveries(wanted, limit=limit) if only is None else own_deliveries(only, wanted, limit=limit)
        headers = {"Link": next_link(request, "before", str(page.next_before))} if page.next_before else None
        return json_response({"deliveries": [read_delivery(each) for each in page.deliveries]}, headers=headers)


class DeliveryView(ApiView):
    """``/deliveries/<id>``: one of them."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request, delivery_id: str) -> HttpResponse:
        """Return a delivery with its body and its attempts."""
        delivery = _delivery_for(request, delivery_id)
        return json_response(read_delivery_whole(delivery, attempts_of(delivery)))


class DeliveryReplayView(ApiView):
    """``/deliveries/<id>/replay``: send one again."""

    scopes = {"POST": Scope.DELIVERIES_WRITE}

    def post(self, request: Request, delivery_id: str) -> HttpResponse:
        """Make the delivery pending from now on, whatever it was."""
        delivery = _delivery_for(request, delivery_id)
        replay_deliveries([delivery.pk])
        return json_response({"id": str(delivery.pk), "state": "pending"}, 202)


class DeliveriesReplayView(ApiView):
    """``/deliveries/replay``: send a range again."""

    scopes = {"POST": Scope.DELIVERIES_WRITE}

    def post(self, request: Request) -> HttpResponse:
        """Replay as many as one call may; with ``before`` in the answer there may be more."""
        only = caller_of(request).only
        choose = partial(own_of, only) if only else None
        replayed = replay_range(range_of(read_json(request)), choose=choose)
        more = {"before": str(replayed.rest.before)} if replayed.rest else {}
        return json_response({"replayed": replayed.count, **more}, 202)


class DeliveriesTestView(ApiView):
    """``/deliveries/test``: try a receiver."""

    scopes = {"POST": Scope.DELIVERIES_WRITE}

    def post(self, request: Request) -> HttpResponse:
        """Send a signed test to the URL and return what came back."""
        url = _url_of(read_json(request))
        try:
            return json_response(read_trial(send_test(url)))
        except EgressError as error:
            raise InvalidPayload([Fault(("url",), error.code, str(error))]) from None


def _delivery_for(request: Request, delivery_id: str) -> Delivery:
    """Return a delivery; raises ``NotFound``, also if the caller may not see it."""
    delivery = get_delivery(delivery_id)
    only = caller_of(request).only
    if only and not own_of(only, [delivery]):
        raise no_delivery(delivery_id)
    return delivery


def _url_of(body: Any) -> str:
    url = body.get("url") if isinstance(body, dict) else None
    if not isinstance(url, str) or not 1 <= len(url) <= LONGEST_URL:
        raise InvalidPayload([Fault(("url",), "required", f'Send "url", a text of 1 to {LONGEST_URL} characters.')])
    return url
