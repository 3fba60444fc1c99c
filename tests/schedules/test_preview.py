"""``POST /schedules/preview``: the next times of a schedule, and every fault of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.parts import Api

pytestmark = pytest.mark.usefixtures("committed_db")


def preview(api: Api, schedule: Any, **more: Any) -> Any:
    return api.post("/schedules/preview", {"schedule": schedule, **more})


def codes(answer: Any) -> list[tuple[list[Any], str]]:
    assert answer.status_code == 400, answer.content
    return [(fault["path"], fault["code"]) for fault in answer.json()["details"]]


def test_a_cron_is_shown_in_utc_and_in_its_zone(api: Api) -> None:
    answer = preview(api, {"cron": "30 2 28 3 *", "tz": "Europe/Berlin", "runAt": "2100-03-01T00:00:00Z"}, count=1)

    (fire,) = answer.json()["fires"]
    assert (fire["utc"], fire["local"]) == ("2100-03-28T01:00:00Z", "2100-03-28T03:00:00+02:00")


def test_five_are_shown_unless_the_client_says_how_many(api: Api) -> None:
    assert len(preview(api, {"cron": "0 9 * * 1-5"}).json()["fires"]) == 5
    assert len(preview(api, {"cron": "0 9 * * 1-5"}, count=7).json()["fires"]) == 7


def test_an_interval_begins_one_period_from_now(api: Api) -> None:
    before = datetime.now(UTC)

    fires = preview(api, {"everySeconds": 90}, count=2).json()["fires"]

    first, second = (datetime.fromisoformat(fire["utc"]) for fire in fires)
    assert second - first == timedelta(seconds=90)
    assert abs(first - before - timedelta(seconds=90)) < timedelta(seconds=10)


def test_one_time_fires_once(api: Api) -> None:
    answer = preview(api, {"runAt": "2100-03-01T00:00:00+05:30"}).json()

    assert [fire["utc"] for fire in answer["fires"]] == ["2100-02-28T18:30:00Z"]
    assert answer["description"] == "Once, at 2100-02-28 18:30:00 UTC."


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ({"cron": "61 * * * *"}, [(["schedule", "cron"], "invalid_cron")]),
        ({"cron": "0 9 * * *", "everySeconds": 5}, [(["schedule", "cron"], "both_repeats")]),
        ({"cron": "0 0 30 2 *"}, [(["schedule", "cron"], "never_fires")]),
        ({"everySeconds": 0.5}, [(["schedule", "everySeconds"], "too_small")]),
        ({"everySeconds": 1e300}, [(["schedule", "everySeconds"], "too_big")]),
        ({}, [(["schedule"], "required")]),
        ({"runAt": "yesterday"}, [(["schedule", "runAt"], "invalid_date")]),
        (
            {"cron": "x", "tz": "Europe/Berln"},
            [(["schedule", "tz"], "unknown_zone"), (["schedule", "cron"], "invalid_cron")],
        ),
        ("daily", [(["schedule"], "invalid_type")]),
    ],
)
def test_every_fault_of_a_schedule_is_named(api: Api, schedule: Any, expected: Any) -> None:
    assert codes(preview(api, schedule)) == expected


@pytest.mark.parametrize("count", [0, 101, "5"])
def test_the_count_is_1_to_100(api: Api, count: Any) -> None:
    ((path, _),) = codes(preview(api, {"cron": "0 9 * * *"}, count=count))
    assert path == ["count"]


def test_an_unknown_zone_is_answered_with_the_nearest_names(api: Api) -> None:
    answer = preview(api, {"cron": "0 9 * * *", "tz": "Europe/Berln"})

    assert "Europe/Berlin" in answer.json()["details"][0]["message"]
