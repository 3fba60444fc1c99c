"""What the owner does in an ordinary week, click by click."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.receiver import Receiver
from tests.browser.world import World, add_dead_letter, begin_talking, put_schedule
from tests.stack import Stack, wait_for

pytestmark = pytest.mark.browser


def state_of_job(page: Page, state: str) -> None:
    expect(page.locator("#job-head .pr-badge")).to_have_text(state)


def follow(page: Page, link: str) -> None:
    """Click an entry of the sidebar."""
    page.locator("#nav-sidebar-apps").get_by_role("link", name=link, exact=True).click()


def test_whoever_logs_in_sees_the_dashboard(visitor: Page, stack: Stack):
    visitor.goto("/admin/")
    visitor.get_by_label("Username").fill("admin")
    visitor.get_by_label("Password").fill(stack.secret("ADMIN_PASSWORD"))
    visitor.get_by_role("button", name="Log in").click()

    expect(visitor).to_have_title("Dashboard | pirunner")


def test_a_wrong_password_is_told(visitor: Page):
    visitor.goto("/admin/")
    visitor.get_by_label("Username").fill("somebody")
    visitor.get_by_label("Password").fill("wrong")
    visitor.get_by_role("button", name="Log in").click()

    expect(visitor.get_by_text("Please enter the correct username and password")).to_be_visible()


def test_a_job_that_was_submitted_by_hand_is_watched_to_its_end(page: Page):
    page.goto("/admin/")
    follow(page, "Submit a job")
    page.get_by_role("link", name="chatter", exact=True).click()
    page.get_by_label("Lines").fill("12")
    page.get_by_label("Pause").fill("0.4")
    page.get_by_role("button", name="Submit the job").click()

    expect(page.locator("#job-head .pr-badge")).to_have_text(re.compile("waiting|active"))
    page.evaluate("window.isTheSamePage = true")
    state_of_job(page, "completed")
    expect(page.locator("#job-log .job-message")).to_have_text([f"line {number}" for number in range(12)])
    expect(page.locator("#job-now")).to_have_text("wrote 12 lines")
    assert page.evaluate("window.isTheSamePage")


def test_a_fault_in_the_form_stands_at_its_field(page: Page):
    page.goto("/admin/jobs/job/submit/?type=reminder")
    page.get_by_role("button", name="Submit the job").click()

    expect(page.get_by_label("Message")).to_be_focused()  # the browser itself asks for it


def test_a_running_job_is_cancelled(page: Page, stack: Stack):
    job_id = begin_talking(stack)
    wait_for(lambda: stack.job(job_id)["state"] == "active")

    page.goto(f"/admin/jobs/job/{job_id}/change/")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="Cancel 1 job").click()

    state_of_job(page, "cancelled")
    assert stack.job(job_id)["state"] == "cancelled"


def test_a_schedule_is_paused_and_resumed(page: Page, stack: Stack):
    schedule_id = put_schedule(stack, "to-be-paused", {"everySeconds": 3600})

    page.goto("/admin/")
    follow(page, "Schedules")
    page.get_by_role("link", name="to-be-paused").click()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".sc-head .pr-badge")).to_have_text("paused")
    assert stack.job(schedule_id)["state"] == "paused"

    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".sc-head .pr-badge")).to_have_text("scheduled")
    assert stack.job(schedule_id)["state"] == "scheduled"


def test_a_dead_letter_is_replayed_once_its_receiver_is_mended(page: Page, stack: Stack, receiver: Receiver):
    delivery_id = add_dead_letter(stack, receiver)
    receiver.is_mended = True

    page.goto("/admin/")
    follow(page, "Dead letters")
    page.locator(f"a[href*='/delivery/{delivery_id}/']").first.click()
    expect(page.locator(".sc-head .pr-badge")).to_have_text("dead")
    page.get_by_role("button", name="Replay").click()

    wait_for(lambda: stack.get(f"/deliveries/{delivery_id}")["state"] == "delivered")
    page.reload()
    expect(page.locator(".sc-head .pr-badge")).to_have_text("delivered")


def test_flower_is_a_page_of_the_admin(page: Page):
    page.goto("/admin/")
    follow(page, "Flower")

    frame = page.frame_locator("iframe[title='Celery Flower']")
    expect(frame.get_by_role("link", name="worker@")).to_be_visible()


def test_the_file_of_a_job_is_shown(page: Page, world: World):
    page.goto(f"/admin/jobs/job/{world.with_file}/change/")

    expect(page.get_by_text("Grace").first).to_be_visible()
