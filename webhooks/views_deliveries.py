"""The API of deliveries: HTTP in, listing and replay, HTTP out."""

from typing import Any

from django.http import HttpResponse
from rest_framework.request import Request

from pirunner.api import ApiView, json_response, next_link, read_json
from pirunner.errors import Fault, InvalidPayload
from webhooks.egress import EgressError
from webhooks.listing import attempts_of, get_delivery, list_deliveries
from webhooks.queries import page_asked_for, range_of
from webhooks.replay import replay_deliveries, replay_range
from webhooks.serializers import read_delivery, read_delivery_whole, read_trial
from webhooks.trial import send_test

LONGEST_URL = 2048


class DeliveriesView(ApiView):
    """``/deliveries``: callbacks, newest first."""

    def get(self, request: Request) -> HttpResponse:
        """List deliveries; the next page is in the ``Link`` header."""
        wanted, limit = page_asked_for(request)
        page = list_deliveries(wanted, limit=limit)
        headers = {"Link": next_link(request, "before", str(page.next_before))} if page.next_before else None
        return json_response({"deliveries": [read_delivery(each) for each in page.deliveries]}, headers=headers)


class DeliveryView(ApiView):
    """``/deliveries/<id>``: one of them."""

    def get(self, request: Request, delivery_id: str) -> HttpResponse:  # noqa: ARG002  (every view gets the request)
        """Return a delivery with its body and its attempts."""
        delivery = get_delivery(delivery_id)
        return json_response(read_delivery_whole(delivery, attempts_of(delivery)))


class DeliveryReplayView(ApiView):
    """``/deliveries/<id>/replay``: send one again."""

    def post(self, request: Request, delivery_id: str) -> HttpResponse:  # noqa: ARG002
        """Make the delivery pending from now on, whatever it was."""
        delivery = get_delivery(delivery_id)
        replay_deliveries([delivery.pk])
        return json_response({"id": str(delivery.pk), "state": "pending"}, 202)


class DeliveriesReplayView(ApiView):
    """``/deliveries/replay``: send a range again."""

    def post(self, request: Request) -> HttpResponse:
        """Replay as many as one call may; with ``before`` in the answer there may be more."""
        replayed = replay_range(range_of(read_json(request)))
        more = {"before": str(replayed.rest.before)} if replayed.rest else {}
        return json_response({"replayed": replayed.count, **more}, 202)


class DeliveriesTestView(ApiView):
    """``/deliveries/test``: try a receiver."""

    def post(self, request: Request) -> HttpResponse:
        """Send a signed test to the URL and return what came back."""
        url = _url_of(read_json(request))
        try:
            return json_response(read_trial(send_test(url)))
        except EgressError as error:
            raise InvalidPayload([Fault(("url",), error.code, str(error))]) from None


def _url_of(body: Any) -> str:
    url = body.get("url") if isinstance(body, dict) else None
    if not isinstance(url, str) or not 1 <= len(url) <= LONGEST_URL:
        raise InvalidPayload([Fault(("url",), "required", f'Send "url", a text of 1 to {LONGEST_URL} characters.')])
    return url
