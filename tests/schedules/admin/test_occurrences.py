"""Due times in the admin: read page by page, however many there are."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from schedules.models import Occurrence
from tests.parts import Api
from tests.schedules.admin.people import text_of
from tests.schedules.calls import EVERY_HOUR, fire, make, row

pytestmark = pytest.mark.usefixtures("committed_db")

OCCURRENCES = "/admin/schedules/occurrence/"


def many(api: Api, number: int) -> int:
    """Write so many occurrences of one schedule, an hour apart; the newest has the job 900000."""
    schedule = row(make(api))
    now = timezone.now()
    moments = [now - timedelta(hours=hour) for hour in range(number)]
    Occurrence.objects.bulk_create(
        Occurrence(
            schedule=schedule, due_at=due, until_due_at=due, outcome="fired", job_id=900_000 + hour, recorded_at=now
        )
        for hour, due in reversed(list(enumerate(moments)))
    )
    return schedule.pk


@pytest.mark.parametrize("narrowed", [False, True])
def test_pages_go_by_a_key_without_count_and_offset(
    ana: Client, api: Api, django_assert_num_queries: Any, narrowed: bool
) -> None:
    number = many(api, 120)
    query = f"?schedule__id__exact={number}" if narrowed else "?"
    seen: list[int] = []
    ana.get(OCCURRENCES)

    while query:
        with django_assert_num_queries(3) as queries:
            listed = ana.get(OCCURRENCES + query).context["cl"]
        assert not any(
            "OFFSET" in each["sql"] or "COUNT(" in each["sql"] for each in queries if "occurrence" in each["sql"]
        )
        seen += [occurrence.job_id for occurrence in listed.result_list]
        query = listed.older_query

    assert seen == [900_000 + hour for hour in range(120)]


@pytest.mark.parametrize("cursor", ["x", "9" * 40, "2026-13-99"])
def test_a_cursor_that_makes_no_sense_leads_to_the_list(ana: Client, api: Api, cursor: str) -> None:
    many(api, 1)

    assert ana.get(f"{OCCURRENCES}?before={cursor}", follow=True).status_code == 200


@pytest.mark.parametrize("query", ["", "?reason=missed", "?outcome__exact=skipped", "?schedule__id__exact=1"])
def test_occurrences_are_listed(ana: Client, api: Api, query: str) -> None:
    schedule_id = make(api, {**EVERY_HOUR, "misfire": "skip"})
    fire(schedule_id, late=600)
    Occurrence.objects.update(reason="missed")

    told = text_of(ana.get(f"/admin/schedules/occurrence/{query}"))

    if "schedule__id" not in query:
        assert "pirunner was not running" in told
    assert ana.get(f"/admin/schedules/occurrence/{Occurrence.objects.get().pk}/change/").status_code == 200


def test_occurrences_of_what_was_deleted_say_so(ana: Client, api: Api) -> None:
    schedule_id = make(api, EVERY_HOUR)
    fire(schedule_id)
    api.delete(f"/jobs/{schedule_id}")

    assert "(deleted)" in text_of(ana.get("/admin/schedules/occurrence/"))
