"""One real pirunner and one real Chromium for all tests of the pages."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from tests.browser.chromium import ARGUMENTS, Watch, find_chromium
from tests.browser.receiver import Receiver
from tests.browser.walking import WIDE, Walk, Walker
from tests.browser.world import World, new_stack, populate
from tests.stack import Stack

USER = "admin"
MILLISECONDS = 15_000
"""How long a page may take to show what it should."""


@pytest.fixture(scope="package")
def receiver() -> Iterator[Receiver]:
    """Where callbacks go that fail."""
    with Receiver() as running:
        yield running


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Stack]:
    """A whole pirunner."""
    with new_stack(tmp_path_factory.mktemp("stack"), receiver) as running:
        yield running


@pytest.fixture(scope="package")
def world(stack: Stack, receiver: Receiver) -> Iterator[World]:
    """What is in it."""
    made = populate(stack, receiver)
    yield made
    stack.request("POST", f"/jobs/{made.running}/cancel")  # a stop would wait for it


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser; skips where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: install Debian's package chromium")
    expect.set_options(timeout=MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


Opener = Callable[[StorageState | None], BrowserContext]


@pytest.fixture(scope="package")
def new_context(chromium: Browser, stack: Stack) -> Opener:
    """Opens the profile of a visitor of the stack."""

    def open_context(state: StorageState | None = None) -> BrowserContext:
        context = chromium.new_context(
            base_url=stack.base_url, viewport=WIDE, reduced_motion="reduce", storage_state=state
        )
        context.set_default_timeout(MILLISECONDS)
        return context

    return open_context


@pytest.fixture(scope="package")
def signed_in(new_context: Opener, stack: Stack) -> StorageState:
    """The cookies of somebody who has logged in."""
    context = new_context(None)
    page = context.new_page()
    page.goto("/admin/")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(stack.secret("ADMIN_PASSWORD"))
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("/admin/")
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def visitor(new_context: Opener) -> Iterator[Page]:
    """A page of somebody who has not logged in."""
    context = new_context(None)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(new_context: Opener, signed_in: StorageState) -> Iterator[Page]:
    """A page of somebody who has logged in."""
    context = new_context(signed_in)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="package")
def watch() -> Watch:
    """What the pages of the walk did that they must not."""
    return Watch()


@pytest.fixture(scope="package")
def walk(new_context: Opener, signed_in: StorageState, world: World, watch: Watch) -> Iterator[Walk]:
    """A walk through every kind of page, done once."""
    context = new_context(signed_in)
    watch.follow(context)
    yield Walker(context.new_page()).walk_from("/admin/", world.besides)
    context.close()
