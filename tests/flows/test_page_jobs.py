"""The job types that read what others publish, with pages, feeds and PDFs as they are found, in real workers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from jobs.feeds import MAX_ITEMS
from tests.conftest import empty_database
from tests.jobs.awkward import pages
from tests.jobs.awkward.pdfs import PICTURE, make_pdf, text_page
from tests.jobs.awkward.server import AwkwardServer, awkward_server
from tests.stack import Stack, free_port, wait_for

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]
FEED = "application/rss+xml"
CSV = '\ufeffname;note\r\n"Bolt; long";"says ""hi"" & <b>bye</b>"\r\n\u05d0\u05d2\u05d5\u05d6;007\r\n'
UNPACKED = 300_000_000
"""Bytes: more than reading one PDF may take."""


@pytest.fixture(scope="module")
def server() -> Iterator[AwkwardServer]:
    with awkward_server() as running:
        yield running


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    """The database of the one stack of all tests here: they ask each other for nothing."""
    with empty_database() as url:
        yield url


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, database_url: str, server: AwkwardServer) -> Iterator[Stack]:
    """A stack that may read from the server, and whose jobs call its own relay."""
    port = free_port()
    environment = {
        "CALLBACK_PORT": str(port),
        "CALLBACK_URL": f"http://127.0.0.1:{port}/callback",
        "FETCH_ALLOWED_HOSTS": f"127.0.0.1:{server.port}",
    }
    with Stack(tmp_path_factory.mktemp("stack"), database_url=database_url, **environment) as running:
        yield running


def completed(stack: Stack, job_id: str) -> dict[str, Any]:
    """Return a job at its end; fails unless it completed."""
    job = stack.finish(job_id)
    assert job["state"] == "completed", job["failedReason"]
    return job


def file_of(stack: Stack, job: dict[str, Any], begins: str) -> str:
    """Return the text of the file of a job whose name begins so, as an agent reads it."""
    (url,) = [artifact["url"] for artifact in job["artifacts"] if artifact["name"].startswith(begins)]
    answer = stack.request("GET", url)
    assert answer.status == 200, answer.text
    return answer.text


def cells_of(html: str) -> list[str]:
    """Return what stands in the cells of a table, as it is written there."""
    return re.findall(r"<td[^>]*>(.*?)</td>", html)


def codes(items: list[dict[str, Any]]) -> list[str]:
    """Return what became of each page or file of a batch."""
    return [item["error"]["code"] if "error" in item else "ok" for item in items]


def test_pages_become_files_and_files_become_tables(stack: Stack, server: AwkwardServer) -> None:
    server.serve("/robots.txt", "User-agent: *\nDisallow: /private", "text/plain")
    haus = server.serve("/haus", pages.ARTICLE)
    # UTF-8, whatever the page and its server say.
    wrong = server.serve("/he", pages.HEBREW.replace("utf-8", "windows-1255"), "text/html; charset=iso-8859-1")
    bomb = server.serve("/bomb", pages.gzip_bomb(), headers={"Content-Encoding": "gzip"})
    urls = [haus, wrong, bomb, server.url("/private/x")]
    read = stack.submit("scrape", input={"urls": urls, "delaySeconds": 0})
    lines = stack.submit("scrape", input={"urls": [haus, wrong], "format": "json", "delaySeconds": 0})
    table = stack.submit("transform", input={"data": CSV, "output": "csv", "name": "parts"})

    job = completed(stack, read)
    assert codes(job["returnvalue"]["pages"]) == ["ok", "ok", "body_too_large", "robots_disallowed"]
    assert job["summary"] == "Read 2 pages; 2 could not be read"
    assert server.asked_for("/private/x") == 0
    markdown = file_of(stack, job, "pages.md")
    assert "**Holz aus der Gegend**" in markdown
    assert "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd" in markdown

    completed(stack, lines)
    completed(stack, table)
    of_pages = {"$job": lines, "artifact": "pages.ndjson"}
    select = [{"op": "select", "columns": ["title", "language"]}]
    titles = stack.submit("transform", input={"artifactId": of_pages, "steps": select, "output": "html"})
    of_parts = {"$job": table, "artifact": "parts.csv"}
    parts = stack.submit("transform", input={"artifactId": of_parts, "output": "html", "name": "parts"})
    assert cells_of(file_of(stack, completed(stack, titles), "result.html")) == [
        "Haus am See", "de", "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd", "he",
    ]  # fmt: skip
    job = completed(stack, parts)
    assert job["returnvalue"]["columns"] == ["name", "note"]
    assert cells_of(file_of(stack, job, "parts.html")) == [
        "Bolt; long", "says &quot;hi&quot; &amp; &lt;b&gt;bye&lt;/b&gt;", "\u05d0\u05d2\u05d5\u05d6", "007",
    ]  # fmt: skip


def test_a_watched_page_calls_back_only_when_it_has_changed(stack: Stack, server: AwkwardServer) -> None:
    url = server.serve("/prices", "<h1>Prices</h1><p>Nut: 1 EUR</p>")

    def look() -> dict[str, Any]:
        return completed(stack, stack.submit("web-monitor", input={"url": url}))

    def deliveries(job: dict[str, Any]) -> list[dict[str, Any]]:
        return list(stack.get(f"/deliveries?jobId={job['id']}")["deliveries"])

    first = look()
    server.serve("/prices", "<h1>Prices</h1><p>Nut: 3 EUR</p>")
    changed, same = look(), look()

    assert [job["returnvalue"]["firstTime"] for job in (first, changed, same)] == [True, False, False]
    assert [job["returnvalue"]["changed"] for job in (first, changed, same)] == [False, True, False]
    assert "\n-Nut: 1 EUR\n+Nut: 3 EUR\n" in file_of(stack, changed, "change.diff")
    assert (same["summary"], same["artifacts"]) == ("127.0.0.1/prices has not changed", [])
    wait_for(lambda: [each["state"] for each in deliveries(changed)] == ["delivered"])
    assert (deliveries(first), deliveries(same)) == ([], [])


def test_feeds_of_any_length_and_pdfs_that_end_their_reader(stack: Stack, server: AwkwardServer) -> None:
    files = {
        "/bomb.pdf": make_pdf([b" " * UNPACKED]),
        "/good.pdf": make_pdf([text_page("Hello", "World")], title="Annual report"),
        "/secret.pdf": make_pdf([text_page("x")], password="p"),
        "/cut.pdf": make_pdf([text_page("x")])[:400],
        "/scan.pdf": make_pdf([PICTURE]),
    }
    batch = stack.submit("pdf-batch", input={"urls": [server.serve(path, body) for path, body in files.items()]})
    sources = [server.serve("/feed", pages.feed(3), FEED), server.serve("/garden", pages.ARTICLE)]
    digest = stack.submit("digest", input={"title": "Morning", "sources": sources})
    long = [server.serve("/long", pages.feed(10_000, prefix="Coin"), FEED)]
    brief = stack.submit("daily-crypto-brief", input={"sources": long, "maxItems": 3})

    job = completed(stack, digest)
    assert job["returnvalue"]["itemCount"] == 4
    assert "Haus am See" in file_of(stack, job, "digest-")
    job = completed(stack, brief)
    assert [item["title"] for item in job["returnvalue"]["items"]] == ["Coin 0", "Coin 1", "Coin 2"]
    assert [item["items"] for item in job["returnvalue"]["sources"]] == [MAX_ITEMS]
    assert "### [Coin 2](https://n.example/2)" in file_of(stack, job, "crypto-brief-")

    job = completed(stack, batch)
    assert codes(job["returnvalue"]["files"]) == ["crashed_reader", "ok", "encrypted", "damaged", "ok"]
    assert job["returnvalue"]["files"][4]["scanned"] is True
    assert job["attemptsMade"] == 3
    # Each file was fetched once, the one to blame once in each attempt that it ended.
    assert (server.asked_for("/good.pdf"), server.asked_for("/bomb.pdf")) == (1, 2)
    assert file_of(stack, job, "001-good.txt") == "Hello\nWorld\n"
