"""Every kind of page, looked at by axe-core, on a desk in light colours and on a phone in dark ones."""

import pytest

from tests.browser.chromium import Watch
from tests.browser.walking import Walk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SOME_OF_EACH_KIND = {
    "/admin/",
    "/admin/jobs/job/",
    "/admin/jobs/job/N/change/",
    "/admin/jobs/job/submit/",
    "/admin/schedules/schedule/",
    "/admin/schedules/schedule/add/",
    "/admin/schedules/schedule/N/change/",
    "/admin/schedules/schedule/N/edit/",
    "/admin/schedules/schedule/N/delete/",
    "/admin/schedules/occurrence/N/change/",
    "/admin/webhooks/delivery/N/change/",
    "/admin/webhooks/notice/",
    "/admin/installer/",
    "/admin/flower/",
    "/admin/auth/user/add/",
    "/admin/auth/group/",
    "/admin/tokens/token/add/",
    "/admin/staff/signin/",
    "/admin/admin/logentry/",
    "/admin/password_change/",
}


def test_links_lead_to_every_kind_of_page(walk: Walk):
    assert SOME_OF_EACH_KIND - set(walk.kinds) == set()


def test_axe_finds_nothing_serious_on_a_desk_in_light_colours(walk: Walk):
    assert walk.axe_wide == []


def test_axe_finds_nothing_serious_on_a_phone_in_dark_colours(walk: Walk):
    assert walk.axe_phone == []


def test_no_page_scrolls_sideways_on_a_phone(walk: Walk):
    assert walk.sideways == []


@pytest.mark.usefixtures("walk")
def test_the_console_stays_empty(watch: Watch):
    """A violation of the Content-Security-Policy would stand there too."""
    assert watch.complaints == []


@pytest.mark.usefixtures("walk")
def test_nothing_is_fetched_from_elsewhere(watch: Watch):
    assert watch.elsewhere == []


@pytest.mark.usefixtures("walk")
def test_every_page_and_all_it_needs_is_there(watch: Watch):
    assert watch.refused == []
