"""The pages without a mouse."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.world import begin_talking
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.browser

MOST_STOPS = 80
"""How often somebody presses Tab at most to get somewhere."""
_IS_SEEN = """element => {
    const look = getComputedStyle(element);
    return look.outlineStyle !== 'none' || look.boxShadow !== 'none';
}"""


def tab_to(page: Page, goal: Locator) -> None:
    """Press Tab until an element has the focus, if it has not from the start; one must be able to see it."""
    for _ in range(MOST_STOPS):
        if goal.evaluate("element => element === document.activeElement"):
            assert goal.evaluate(_IS_SEEN), f"nobody sees that {goal} has the focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {goal}")


def go(page: Page, goal: Locator) -> None:
    """Go to a link or button, and press it."""
    tab_to(page, goal)
    page.keyboard.press("Enter")


def write(page: Page, field: str, text: str) -> None:
    """Go to a field, and write into it in place of what was there."""
    tab_to(page, page.get_by_label(field).first)
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def test_logging_in(visitor: Page, stack: Stack):
    visitor.goto("/admin/")
    write(visitor, "Username", "admin")
    write(visitor, "Password", stack.secret("ADMIN_PASSWORD"))
    visitor.keyboard.press("Enter")

    expect(visitor).to_have_title("Dashboard | pirunner")


def test_submitting_a_job(page: Page):
    page.goto("/admin/")
    go(page, page.get_by_role("link", name="Submit a job").first)
    go(page, page.get_by_role("link", name="reminder", exact=True))
    write(page, "Message", "Water the plants")
    go(page, page.get_by_role("button", name="Submit the job"))

    expect(page.locator("#job-head .pr-badge")).to_have_text("completed")


def test_cancelling_a_job(page: Page, stack: Stack):
    job_id = begin_talking(stack)
    wait_for(lambda: stack.job(job_id)["state"] == "active")

    page.goto(f"/admin/jobs/job/{job_id}/change/")
    go(page, page.get_by_role("link", name="Cancel"))
    go(page, page.get_by_role("button", name="Cancel 1 job"))

    expect(page.locator("#job-head .pr-badge")).to_have_text("cancelled")
