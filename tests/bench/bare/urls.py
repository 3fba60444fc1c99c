"""Two views: one that inserts, one that does nothing."""

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import path

from tests.bench.bare.models import Row


def insert(request: HttpRequest) -> HttpResponse:
    """Keep the body in a row of its own."""
    row = Row(content=json.loads(request.body))
    row.save()
    return _accepted({"id": row.pk})


def nothing(request: HttpRequest) -> HttpResponse:
    """Read the body and answer."""
    return _accepted({"length": len(json.loads(request.body))})


def _accepted(value: Any) -> HttpResponse:
    content = json.dumps(value).encode()
    # Otherwise the server would send it in chunks; elsewhere a middleware of Django's adds the length.
    headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
    return HttpResponse(content, status=202, headers=headers)


urlpatterns = [path("insert", insert), path("nothing", nothing)]
