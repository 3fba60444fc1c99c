"""``/metrics``: the samples in the form that Prometheus asks for."""

from django.http import HttpResponse
from prometheus_client.exposition import choose_encoder
from rest_framework.request import Request

from pirunner.api import ApiView, caller_of
from pirunner.callers import Scope
from pirunner.metrics.registry import registry


class MetricsView(ApiView):
    """``/metrics``, with a token as all calls but ``/health``."""

    scopes = {"GET": Scope.JOBS_READ}

    def get(self, request: Request) -> HttpResponse:
        """Return the samples: Prometheus's text format 0.0.4, or OpenMetrics if it is asked for."""
        caller_of(request).check_sees_all()
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(registry()), content_type=content_type)
