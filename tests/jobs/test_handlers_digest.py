"""The job type ``digest``, with feeds and pages served over HTTP on this machine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import DoNotRetry, JobFailed
from jobs.handlers.digest import JOB_TYPE
from tests.jobs.awkward import pages
from tests.jobs.awkward.server import AwkwardServer, awkward_server
from tests.jobs.handling import HandlerContext, run

FEED = "application/rss+xml"


@pytest.fixture
def server() -> Iterator[AwkwardServer]:
    with awkward_server() as running:
        yield running


@pytest.fixture
def context(tmp_path: Path) -> HandlerContext:
    return HandlerContext(tmp_path)


def titles(result: dict[str, object]) -> list[str]:
    assert isinstance(result["items"], list)
    return [item["title"] for item in result["items"]]


def test_feeds_and_pages_become_one_page_to_read(server: AwkwardServer, context: HandlerContext) -> None:
    feed = server.serve("/f", pages.feed(2, description="<p>First <b>sentence</b>.</p><script>x</script>"), FEED)
    result = run(JOB_TYPE, context, sources=[feed, server.serve("/haus", pages.ARTICLE)])

    page = Path(result["artifactPath"]).read_text(encoding="utf-8")
    assert titles(result) == ["Story 0", "Story 1", "Haus am See"]
    assert "## Paper\n\n### [Story 0](https://n.example/0)\n\n20 Nov" in page
    assert "First sentence." in page
    assert "## Seezeitung\n\n### [Haus am See]" in page
    assert "Das alte Haus am See wird wieder bewohnt" in page


def test_a_digest_shows_what_is_new_since_the_last(server: AwkwardServer, context: HandlerContext) -> None:
    sources = [server.serve("/f", pages.feed(2), FEED), server.serve("/haus", pages.ARTICLE)]
    run(JOB_TYPE, context, sources=sources)
    context.complete()
    server.serve("/f", pages.feed(3), FEED)
    server.serve("/haus", pages.ARTICLE.replace("Graz", "Wien"))
    second = run(JOB_TYPE, context, sources=sources[::-1])  # the order of its sources does not make another digest

    assert sorted(titles(second)) == ["Haus am See", "Story 2"]
    assert second["previousAt"] is not None
    assert titles(run(JOB_TYPE, context, sources=sources, onlyNew=False)) == [
        "Story 0",
        "Story 1",
        "Story 2",
        "Haus am See",
    ]


def test_an_attempt_that_fails_has_shown_nothing(server: AwkwardServer, context: HandlerContext) -> None:
    sources = [server.serve("/f", pages.feed(2), FEED)]
    run(JOB_TYPE, context, sources=sources)
    context.next_attempt()

    assert titles(run(JOB_TYPE, context, sources=sources)) == ["Story 0", "Story 1"]


def test_a_query_keeps_what_fits(server: AwkwardServer, context: HandlerContext) -> None:
    sources = [server.serve("/f", pages.feed(3), FEED), server.serve("/haus", pages.ARTICLE)]

    assert titles(run(JOB_TYPE, context, sources=sources, query="haus -story")) == ["Haus am See"]


def test_of_ten_thousand_items_the_newest_are_taken(server: AwkwardServer, context: HandlerContext) -> None:
    result = run(
        JOB_TYPE, context, sources=[server.serve("/f", pages.feed(10_000), FEED)], maxItems=5, template="compact"
    )

    page = Path(result["artifactPath"]).read_text(encoding="utf-8")
    assert result["sources"][0]["items"] == 200
    assert titles(result) == [f"Story {n}" for n in (0, 1, 2, 3, 4)]
    assert "- [Story 0](https://n.example/0) · 20 Nov" in page


def test_a_source_that_fails_is_reported(server: AwkwardServer, context: HandlerContext) -> None:
    result = run(JOB_TYPE, context, sources=[server.serve("/f", pages.feed(1), FEED), server.url("/nothing")])

    page = Path(result["artifactPath"]).read_text(encoding="utf-8")
    assert result["summary"] == "1 new story; 1 source could not be read"
    assert "## Could not be read\n\n- 127.0.0.1/nothing: The server answered 404 (there is no such page).\n" in page
    assert "*1 of 2 sources read." in page


def test_when_all_fail_the_job_fails(server: AwkwardServer, context: HandlerContext) -> None:
    server.serve("/down", "", status=503)

    with pytest.raises(DoNotRetry, match="None of the sources"):
        run(JOB_TYPE, context, sources=[server.url("/nothing")])
    with pytest.raises(JobFailed) as failed:
        run(JOB_TYPE, context, sources=[server.url("/nothing"), server.url("/down")])
    assert not isinstance(failed.value, DoNotRetry)
