"""The job type ``web-monitor``: what counts as a change, and what is remembered."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import DoNotRetry, JobFailed
from jobs.handlers.web_monitor import JOB_TYPE
from tests.jobs.awkward.pdfs import make_pdf
from tests.jobs.awkward.server import AwkwardServer, awkward_server
from tests.jobs.handling import HandlerContext, faults_of, run

PAGE = "<html><body><h1>Prices</h1><p class=price>Nut: {0} EUR</p><p>{1} views</p></body></html>"


@pytest.fixture
def server() -> Iterator[AwkwardServer]:
    with awkward_server() as running:
        yield running


@pytest.fixture
def context(tmp_path: Path) -> HandlerContext:
    return HandlerContext(tmp_path)


def look(context: HandlerContext, **job_input: object) -> dict[str, object]:
    result = run(JOB_TYPE, context, **job_input)
    context.complete()
    return result


def test_the_first_look_is_no_change(server: AwkwardServer, context: HandlerContext) -> None:
    result = look(context, url=server.serve("/p", PAGE.format(1, 2)))

    assert (result["firstTime"], result["changed"], result["notify"], result["lines"]) == (True, False, False, 3)
    assert context.text_of("page.txt") == "Prices\nNut: 1 EUR\n2 views\n"


def test_a_change_is_shown_line_by_line(server: AwkwardServer, context: HandlerContext) -> None:
    first = look(context, url=server.serve("/p", PAGE.format(1, 2)))
    server.serve("/p", PAGE.format(3, 2))
    result = look(context, url=server.url("/p"))

    assert (result["changed"], result["notify"], result["added"], result["removed"]) == (True, True, 1, 1)
    assert result["excerpt"] == ["-Nut: 1 EUR", "+Nut: 3 EUR"]
    assert result["previousAt"] == first["lastChangedAt"]
    assert result["summary"] == "127.0.0.1/p changed: 1 line added, 1 removed"
    assert context.text_of("change.diff").startswith("--- page 20")


def test_what_is_ignored_is_no_change(server: AwkwardServer, context: HandlerContext) -> None:
    what = {"url": server.url("/p"), "ignore": [r"\d+ views"]}
    server.serve("/p", PAGE.format(1, 2))
    look(context, **what)
    server.serve("/p", PAGE.format(1, 99))

    assert look(context, **what)["changed"] is False


def test_only_what_is_selected_counts(server: AwkwardServer, context: HandlerContext) -> None:
    what = {"url": server.url("/p"), "selector": ".price"}
    server.serve("/p", PAGE.format(1, 2))
    look(context, **what)
    server.serve("/p", PAGE.format(1, 99))

    assert look(context, **what)["lines"] == 1
    assert look(context, **what)["changed"] is False


def test_another_selector_is_another_page(server: AwkwardServer, context: HandlerContext) -> None:
    look(context, url=server.serve("/p", PAGE.format(1, 2)))

    assert look(context, url=server.url("/p"), selector="h1")["firstTime"] is True


def test_not_modified_is_no_change_and_comes_without_a_body(server: AwkwardServer, context: HandlerContext) -> None:
    look(context, url=server.serve("/p", PAGE.format(1, 2), etag='"1"'))
    for _ in range(2):
        result = look(context, url=server.url("/p"))

        assert (result["status"], result["changed"], result["lines"]) == (304, False, 3)


def test_a_page_that_goes_and_comes_back_changes_twice(server: AwkwardServer, context: HandlerContext) -> None:
    look(context, url=server.serve("/p", PAGE.format(1, 2), etag='"1"'))
    del server.replies["/p"]
    gone, still = look(context, url=server.url("/p")), look(context, url=server.url("/p"))
    server.serve("/p", PAGE.format(1, 2), etag='"1"')
    back = look(context, url=server.url("/p"))

    assert [(each["changed"], each["present"]) for each in (gone, still, back)] == [
        (True, False),
        (False, False),
        (True, True),
    ]
    assert [each["summary"] for each in (gone, still, back)] == [
        "127.0.0.1/p is gone", "127.0.0.1/p has not changed and is still gone", "127.0.0.1/p is back",
    ]  # fmt: skip


def test_a_page_that_never_was_is_a_fault(server: AwkwardServer, context: HandlerContext) -> None:
    with pytest.raises(DoNotRetry, match="404"):
        run(JOB_TYPE, context, url=server.url("/nothing"))
    with pytest.raises(DoNotRetry, match="what the selector names"):
        run(JOB_TYPE, context, url=server.serve("/p", PAGE), selector=".nothing")
    with pytest.raises(DoNotRetry, match="pdf-batch"):
        run(JOB_TYPE, context, url=server.serve("/f", make_pdf([b""])))


def test_an_error_is_no_change_and_forgets_nothing(server: AwkwardServer, context: HandlerContext) -> None:
    look(context, url=server.serve("/p", PAGE.format(1, 2)))
    server.serve("/p", "", status=500)
    with pytest.raises(JobFailed, match="500"):
        run(JOB_TYPE, context, url=server.url("/p"))
    server.serve("/p", PAGE.format(1, 2))

    assert look(context, url=server.url("/p"))["changed"] is False


def test_json_in_another_order_is_no_change(server: AwkwardServer, context: HandlerContext) -> None:
    look(context, url=server.serve("/j", '{"a": 1, "b": [1, 2]}', "application/json"))
    server.serve("/j", '{"b":[1,2],"a":1}', "application/json")

    assert look(context, url=server.url("/j"))["changed"] is False


@pytest.mark.parametrize(("notify_on", "expected"), [("change", False), ("always", True), ("error", False)])
def test_when_somebody_is_called(
    server: AwkwardServer, context: HandlerContext, notify_on: str, expected: bool
) -> None:
    assert look(context, url=server.serve("/p", PAGE), notifyOn=notify_on)["notify"] is expected


def test_what_cannot_be_used_is_refused_at_once() -> None:
    assert faults_of(JOB_TYPE, url="https://x.example/", selector="p >", ignore=["ok", "("]) == [
        (("selector",), "invalid_string"), (("ignore", 1), "invalid_string"),
    ]  # fmt: skip
