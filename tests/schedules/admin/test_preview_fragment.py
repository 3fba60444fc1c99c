"""What the form shows as one types."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client

from schedules.admin.preview_fragment import oddity_of
from schedules.timing import Timing
from tests.parts import Api
from tests.schedules.admin.people import LIST, text_of
from tests.schedules.admin.test_form_pages import typed
from tests.schedules.calls import make, row
from tests.schedules.making import DAY, cron, every

PREVIEW = f"{LIST}preview/"
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.usefixtures("committed_db")
def test_the_next_times_are_shown_on_both_clocks(ana: Client) -> None:
    told = text_of(ana.post(PREVIEW, typed(cron="30 2 * * *", start_at="2027-03-27T00:00")))

    assert "At 02:30 every day, in the zone Europe/Prague." in told
    assert "Sat 27 Mar 2027, 02:30 Sat 27 Mar 2027, 02:30 Sat 27 Mar 2027, 01:30 UTC" in told
    assert "Sun 28 Mar 2027, 01:00 UTC Clocks go forward: the time named does not exist" in told


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize(
    ("fields", "slot", "said"),
    [
        ({"cron": "0 25 * * *"}, "cron", "the hour, cannot be"),
        ({"zone": "Europe/Pragu"}, "zone", "Did you mean Europe/Prague"),
        ({"kind": "once", "run_at": "2020-01-01T09:00"}, "run_at", "in the past"),
        ({"quiet_from": "22:00", "quiet_to": "x"}, "quiet_from", "time"),
        ({"backend": "systemd", "cron": "0 9 * * 5L"}, "cron", "systemd"),
    ],
)
def test_a_fault_goes_to_the_slot_of_its_field(ana: Client, fields: dict[str, Any], slot: str, said: str) -> None:
    page = ana.post(PREVIEW, typed(**fields)).content.decode()

    _, _, after = page.partition(f'id="sc-slot-{slot}"')
    assert said in after.partition("</div>")[0]


@pytest.mark.usefixtures("committed_db")
@pytest.mark.parametrize("fields", [{"cron": ""}, {"kind": "every"}, {"kind": ""}, {"cron": "\x00", "zone": ""}])
def test_a_form_that_says_nothing_yet_is_waited_for(ana: Client, fields: dict[str, Any]) -> None:
    assert ana.post(PREVIEW, typed(**fields)).status_code == 200
    assert ana.post(PREVIEW, {}).status_code == 200


@pytest.mark.usefixtures("committed_db")
def test_a_start_in_the_past_that_is_not_changed_is_no_fault(ana: Client, api: Api) -> None:
    schedule = row(make(api, {"cron": "0 9 * * *", "tz": "Europe/Prague"}))
    schedule.timing = {**schedule.timing, "runAt": "2020-01-01T09:00"}
    schedule.save()
    sent = typed(job_type="ping", cron="0 10 * * *", start_at="2020-01-01T09:00")

    assert "in the past" in text_of(ana.post(PREVIEW, sent))
    assert "At 10:00 every day" in text_of(ana.post(f"{PREVIEW}?of={schedule.pk}", sent))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("timing", "fire", "said"),
    [
        (cron("30 2 * * *", zone=BERLIN), "2027-03-28T03:00", "does not exist that day"),
        (cron("30 2 * * *", zone=BERLIN), "2027-10-31T02:30", "happens twice"),
        (cron("0 9 * * *", zone=BERLIN), "2027-03-28T09:00", "Clocks go forward before this one: UTC+1 becomes UTC+2"),
        (cron("0 9 * * *", zone=BERLIN), "2027-10-31T09:00", "Clocks go back before this one: UTC+2 becomes UTC+1"),
        (every(86_400, zone=BERLIN), "2027-03-28T13:00", "Clocks go forward before this one"),
        (cron("0 9 * * *", zone=BERLIN), "2027-06-01T09:00", ""),
    ],
)
def test_what_is_odd_about_a_time(timing: Timing, fire: str, said: str) -> None:
    at = berlin(fire)

    told = oddity_of(at, at - DAY, timing)

    assert said in told
    assert bool(said) == bool(told)
