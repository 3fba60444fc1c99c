"""The job type ``scrape``, with awkward pages served over HTTP on this machine."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import DoNotRetry, JobCancelled, JobFailed, RetryAfter
from jobs.handlers.scrape import JOB_TYPE
from tests.jobs.awkward import pages, pdfs
from tests.jobs.awkward.server import AwkwardServer, Reply, awkward_server
from tests.jobs.handling import HandlerContext, faults_of, run


@pytest.fixture
def server() -> Iterator[AwkwardServer]:
    with awkward_server() as running:
        running.serve("/haus", pages.ARTICLE)
        yield running


@pytest.fixture
def context(tmp_path: Path) -> HandlerContext:
    return HandlerContext(tmp_path)


def codes(result: dict[str, object]) -> list[str]:
    assert isinstance(result["pages"], list)
    return [page["error"]["code"] if "error" in page else "ok" for page in result["pages"]]


def test_a_page_becomes_a_file_to_read(server: AwkwardServer, context: HandlerContext) -> None:
    result = run(JOB_TYPE, context, url=server.url("/haus"))

    assert result["summary"] == "Read 1 page"
    assert result["pages"][0] | {"ms": 0} == {
        "url": server.url("/haus"), "ok": True, "ms": 0, "finalUrl": server.url("/haus"), "title": "Haus am See",
        "author": "Ana Blau", "date": "2025-03-04", "language": "de", "canonical": server.url("/haus"),
        "site": "Seezeitung", "words": 69, "mainContent": True,
    }  # fmt: skip
    assert context.text_of("01-haus-am-see.md").startswith(
        f"# Haus am See\n\nAna Blau · 2025-03-04 · [Seezeitung]({server.url('/haus')})\n\nDas alte Haus"
    )


def test_each_address_has_its_own_outcome(server: AwkwardServer, context: HandlerContext) -> None:
    server.serve("/robots.txt", "User-agent: *\nDisallow: /private", "text/plain")
    bomb = {"Content-Encoding": "gzip"}
    urls = [
        server.url("/haus"),
        server.url("/private/x"),
        server.serve("/bomb", pages.gzip_bomb(), headers=bomb),
        server.serve("/huge", b"<p>" + b"x" * 3_000_000),
        server.serve("/pdf", pdfs.make_pdf([b""]), "text/html"),
        server.serve("/gone", "", status=410),
        server.serve("/busy", "", status=503),
        server.serve("/empty", "<html><body><script>1</script>"),
        server.serve("/he", pages.HEBREW),
        "http://169.254.169.254/latest/meta-data",
    ]

    result = run(JOB_TYPE, context, urls=urls, delaySeconds=0)

    assert codes(result) == [
        "ok",
        "robots_disallowed",
        "body_too_large",
        "body_too_large",
        "not_a_page",
        "not_found",
        "http_status",
        "no_text",
        "ok",
        "address_refused",
    ]
    assert [page["error"]["retryable"] for page in result["pages"] if "error" in page].count(True) == 1
    assert "pdf-batch" in result["pages"][4]["error"]["message"]
    assert result["summary"] == "Read 2 pages; 8 could not be read"
    assert server.asked_for("/private/x") == 0
    assert server.asked_for("/robots.txt") == 1
    assert [artifact.name for artifact in context.artifacts] == ["pages.md", "01-haus-am-see.md", "02.md"]
    assert "שלום עולם" in context.text_of("pages.md")


def test_a_page_that_trickles_is_cut_off(server: AwkwardServer, context: HandlerContext) -> None:
    context.http = context.http.limited(max_bytes=2_000_000, total_timeout=0.5)
    server.serve("/slow", b"<p>" + b"x" * 10_000, pause=0.2)

    result = run(JOB_TYPE, context, urls=[server.url("/haus"), server.url("/slow")], delaySeconds=0)

    assert codes(result) == ["ok", "deadline_exceeded"]


def test_lines_of_json_hold_what_is_known(server: AwkwardServer, context: HandlerContext) -> None:
    run(JOB_TYPE, context, url=server.url("/haus"), format="json")

    (line,) = context.text_of("pages.ndjson").splitlines()
    assert json.loads(line)["title"] == "Haus am See"
    assert "**Holz aus der Gegend**" in json.loads(line)["markdown"]


def test_plain_text_has_no_marks(server: AwkwardServer, context: HandlerContext) -> None:
    run(JOB_TYPE, context, url=server.url("/haus"), format="text")

    assert "mit Holz aus der Gegend und" in context.text_of("01-haus-am-see.txt")


def test_a_host_is_asked_no_faster_than_it_likes(server: AwkwardServer, context: HandlerContext) -> None:
    server.serve("/robots.txt", "User-agent: *\nCrawl-delay: 3", "text/plain")
    server.serve("/b", pages.HEBREW)

    run(JOB_TYPE, context, urls=[server.url("/haus"), server.url("/b")])

    (pause,) = context.slept
    assert 2.5 < pause <= 3.0


def test_while_the_rules_cannot_be_read_the_site_is_left_alone(server: AwkwardServer, context: HandlerContext) -> None:
    server.serve("/robots.txt", "", status=503)

    with pytest.raises(JobFailed, match=r"robots\.txt cannot be read now") as failed:
        run(JOB_TYPE, context, url=server.url("/haus"))

    assert not isinstance(failed.value, DoNotRetry)
    assert server.asked_for("/haus") == 0


def test_a_redirect_into_what_is_forbidden_is_not_read(server: AwkwardServer, context: HandlerContext) -> None:
    server.serve("/robots.txt", "User-agent: *\nDisallow: /haus", "text/plain")
    server.serve("/to", "", status=302, headers={"Location": "/haus"})

    with pytest.raises(DoNotRetry, match=r"robots\.txt does not let"):
        run(JOB_TYPE, context, url=server.url("/to"))


def test_all_failed_for_good_is_not_tried_again(server: AwkwardServer, context: HandlerContext) -> None:
    with pytest.raises(DoNotRetry, match="None of the 2 pages could be read"):
        run(JOB_TYPE, context, urls=[server.url("/x"), server.url("/y")], delaySeconds=0)


def test_a_server_says_when_to_come_again(server: AwkwardServer, context: HandlerContext) -> None:
    server.serve("/busy", "", status=429, headers={"Retry-After": "77"})

    with pytest.raises(RetryAfter) as failed:
        run(JOB_TYPE, context, url=server.url("/busy"))

    assert failed.value.seconds == 77


def test_a_retry_does_not_read_again_what_is_done(server: AwkwardServer, context: HandlerContext) -> None:
    urls = [server.url("/haus"), server.url("/nothing"), server.serve("/later", pages.HEBREW)]
    asked = iter([False, False, True])
    context.cancel_when = lambda: next(asked)  # stands for any sudden end after the second page

    server.replies["/later"] = Reply("", status=503)
    with pytest.raises(JobCancelled):
        run(JOB_TYPE, context, urls=urls, delaySeconds=0)
    context.next_attempt()
    context.cancel_when = lambda: False
    server.serve("/later", pages.HEBREW)
    result = run(JOB_TYPE, context, urls=urls, delaySeconds=0)

    assert codes(result) == ["ok", "not_found", "ok"]
    assert [server.asked_for(path) for path in ("/haus", "/nothing", "/later")] == [1, 1, 2]
    assert "Holz aus der Gegend" in context.text_of("pages.md")


def test_an_input_without_a_page_is_refused() -> None:
    assert faults_of(JOB_TYPE) == [(("url",), "required")]
    assert faults_of(JOB_TYPE, urls=["ftp://x.example/"]) == [(("urls", 0), "invalid_string")]
    assert faults_of(JOB_TYPE, urls=["https://x.example/"] * 101) == [(("urls",), "too_big")]
