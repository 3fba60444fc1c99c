"""The API of schedules: HTTP in, pure time, HTTP out."""

from itertools import islice

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from rest_framework.request import Request

from jobs.validation import faults_of
from pirunner.api import ApiView, json_response, read_json
from pirunner.errors import InvalidPayload
from schedules.reading import read_recurrence
from schedules.recurrence import fires_after
from schedules.serializers import PreviewBody, read_preview

_SCHEMA = msgspec.json.schema(PreviewBody)


class PreviewView(ApiView):
    """``/schedules/preview``: when a schedule would fire."""

    def post(self, request: Request) -> HttpResponse:
        """Return the next fire times of a schedule; nothing is stored."""
        raw = read_json(request)
        try:
            body = msgspec.convert(raw, PreviewBody)
        except msgspec.ValidationError:
            raise InvalidPayload(faults_of(_SCHEMA, raw)) from None
        now = timezone.now()
        recurrence, zone, faults = read_recurrence(body.schedule, now)
        if recurrence is None:
            raise InvalidPayload([fault.below("schedule") for fault in faults])
        fires = list(islice(fires_after(recurrence, now), body.count))
        return json_response(read_preview(recurrence, fires, zone))
