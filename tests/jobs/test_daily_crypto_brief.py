"""The job type ``daily-crypto-brief``, with feeds served over HTTP on this machine."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jobs import catalog
from jobs.errors import DoNotRetry, JobFailed
from jobs.handlers import daily_crypto_brief
from tests.jobs.handling import HandlerContext

FEEDS = Path(__file__).parent / "feeds"


@dataclass
class FeedServer:
    """Serves the sample feeds by name, ``/status/N`` with that status, ``/meet`` once two ask for it at a time."""

    port: int = 0
    etag: str = ""
    broken: str = ""
    requests: list[str] = field(default_factory=list)
    meeting: threading.Barrier = field(default_factory=lambda: threading.Barrier(2, timeout=10))

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def answer(self, path: str) -> tuple[int, bytes]:
        self.requests.append(path)
        if path == self.broken:
            return 500, b""
        if path.startswith("/status/"):
            return int(path.rpartition("/")[2]), (FEEDS / "rss.xml").read_bytes()
        if path.startswith("/meet"):
            self.meeting.wait()
        name = "rss.xml" if path.startswith("/meet") else path.strip("/")
        return 200, (FEEDS / name).read_bytes()


@pytest.fixture
def server() -> Iterator[FeedServer]:
    feeds = FeedServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = feeds.answer(self.path)
            if feeds.etag and self.headers.get("If-None-Match") == feeds.etag:
                status, body = 304, b""
            self.send_response(status)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("ETag", feeds.etag)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http_server:
        feeds.port = http_server.server_address[1]
        thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield feeds
        http_server.shutdown()
        thread.join()


@pytest.fixture
def context(tmp_path: Path) -> HandlerContext:
    return HandlerContext(tmp_path)


def brief(context: HandlerContext, *sources: str, **fields: Any) -> dict[str, Any]:
    job_input, faults = catalog.validate_input(daily_crypto_brief.JOB_TYPE, {"sources": list(sources), **fields})
    assert faults == []
    return daily_crypto_brief.run(context, job_input)


def test_items_of_all_feeds_are_merged_newest_first(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("rss.xml"), server.url("atom.xml"), server.url("rdf.xml"))

    assert [item["title"] for item in result["items"]] == [
        "Stablecoin rules agreed",
        "Newer: exchange opens in Graz & Linz",
        "Older: miners switch to hydro",
        "Still RDF",
        "Undated: what is a ledger?",
    ]


def test_the_result_has_the_old_shape(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("rss.xml"), maxItems=1)
    (source,) = result.pop("sources")

    assert source | {"ms": 0, "lastOkAt": ""} == {
        "source": server.url("rss.xml"), "ok": True, "items": 3, "ms": 0, "status": 200, "fromCache": False,
        "error": None, "lastOkAt": "",
    }  # fmt: skip
    assert result == {
        "summary": "Generated 1-item crypto brief",
        "itemCount": 1,
        "items": [
            {
                "title": "Newer: exchange opens in Graz & Linz",
                "link": "https://courier.example/graz?utm_source=rss",
                "isoDate": "2025-11-21T18:45:10.000Z",
                "source": "Coin Courier",
            }
        ],
        "artifactPath": context.artifacts[0].path,
        "failedSources": [],
    }


def test_an_undated_item_has_no_iso_date(server: FeedServer, context: HandlerContext) -> None:
    assert brief(context, server.url("rss.xml"))["items"][-1]["isoDate"] is None


def test_the_page_is_written_under_the_date_of_the_owners_zone(
    server: FeedServer, context: HandlerContext, settings: Any
) -> None:
    settings.TIME_ZONE = "Pacific/Kiritimati"  # 14 hours ahead: its date is not UTC's for most of the day
    before = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()

    brief(context, server.url("rss.xml"))

    after = datetime.now(ZoneInfo("Pacific/Kiritimati")).date()
    (artifact,) = context.artifacts
    assert artifact.name in {f"crypto-brief-{day}.md" for day in (before, after)}
    assert artifact.media_type == "text/markdown"


def test_the_page_names_the_items(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("rss.xml"))

    page = Path(result["artifactPath"]).read_text(encoding="utf-8")
    assert "### [Newer: exchange opens in Graz & Linz](https://courier.example/graz?utm_source=rss)\n" in page


def test_a_feed_that_has_not_changed_is_not_sent_again(server: FeedServer, context: HandlerContext) -> None:
    server.etag = '"v1"'
    first = brief(context, server.url("rss.xml"))
    context.complete()
    second = brief(context, server.url("rss.xml"))

    assert second["items"] == first["items"]
    assert [(source["status"], source["fromCache"]) for source in second["sources"]] == [(304, True)]


def test_a_feed_that_fails_says_when_it_was_well(server: FeedServer, context: HandlerContext) -> None:
    well = brief(context, server.url("rss.xml"), server.url("atom.xml"))
    context.complete()
    server.broken = "/rss.xml"
    ill = brief(context, server.url("rss.xml"), server.url("atom.xml"))["sources"][0]

    assert (ill["ok"], ill["error"]) == (False, "The server answered 500.")
    assert ill["lastOkAt"] == well["sources"][0]["lastOkAt"] is not None


def test_summaries_come_with_the_items(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("rss.xml"), summaries=True)

    assert all(isinstance(item["summary"], str) for item in result["items"])


def test_the_number_of_items_defaults_to_the_setting(
    server: FeedServer, context: HandlerContext, settings: Any
) -> None:
    settings.CRYPTO_MAX_ITEMS = 2

    assert brief(context, server.url("rss.xml"))["itemCount"] == 2


def test_feeds_are_read_side_by_side(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("meet?1"), server.url("meet?2"))

    assert result["failedSources"] == []


def test_a_feed_named_twice_is_read_once(server: FeedServer, context: HandlerContext) -> None:
    brief(context, server.url("rss.xml"), server.url("rss.xml"))

    assert server.requests == ["/rss.xml"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("status/503", "503"),
        ("status/404", "404"),
        ("status/204", "204"),
        ("page.html", "not a feed"),
        ("entity_bomb.xml", "entities"),
    ],
)
def test_a_feed_that_fails_is_skipped_and_reported(
    server: FeedServer, context: HandlerContext, path: str, reason: str
) -> None:
    result = brief(context, server.url("rss.xml"), server.url(path))

    assert result["itemCount"] == 3
    (failure,) = result["failedSources"]
    assert failure["source"] == server.url(path)
    assert reason in failure["error"]


def test_a_feed_that_fails_is_named_on_the_page(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("rss.xml"), server.url("status/503"))

    page = Path(result["artifactPath"]).read_text(encoding="utf-8")
    assert "## Could not be read\n\n- 127.0.0.1/status/503: The server answered 503.\n" in page


def test_an_address_that_must_not_be_reached_is_skipped(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("rss.xml"), "http://169.254.169.254/latest/meta-data")

    assert [failure["source"] for failure in result["failedSources"]] == ["http://169.254.169.254/latest/meta-data"]


def test_an_empty_feed_is_no_failure(server: FeedServer, context: HandlerContext) -> None:
    result = brief(context, server.url("empty.xml"))

    assert (result["summary"], result["items"]) == ("Generated 0-item crypto brief", [])


def test_the_job_fails_when_every_feed_fails(server: FeedServer, context: HandlerContext) -> None:
    with pytest.raises(JobFailed) as failed:
        brief(context, server.url("status/503"), server.url("page.html"))

    assert not isinstance(failed.value, DoNotRetry)
    assert "127.0.0.1/status/503: The server answered 503." in str(failed.value)
    assert "127.0.0.1/page.html: It is not a feed." in str(failed.value)
    assert context.artifacts == []


@pytest.mark.parametrize("value", [None, {}, {"maxItems": None}, {"maxItems": 0}, {"maxItems": ""}, {"sources": []}])
def test_what_is_falsy_means_the_default(value: Any) -> None:
    job_input, faults = catalog.validate_input(daily_crypto_brief.JOB_TYPE, value)

    assert faults == []
    assert job_input == daily_crypto_brief.BriefInput()


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), (" 0x10 ", 16), (5.0, 5), ("5.9", 5), (True, 1), (["7"], 7), (100, 100)],
)
def test_max_items_is_read_as_javascript_would(value: Any, number: int) -> None:
    job_input, faults = catalog.validate_input(daily_crypto_brief.JOB_TYPE, {"maxItems": value})

    assert faults == []
    assert job_input.max_items == number


@pytest.mark.parametrize(
    ("value", "path", "code"),
    [
        ({"maxItems": "many"}, ("maxItems",), "invalid_type"),
        ({"maxItems": "Infinity"}, ("maxItems",), "invalid_type"),
        ({"maxItems": {}}, ("maxItems",), "invalid_type"),
        ({"maxItems": -1}, ("maxItems",), "too_small"),
        ({"maxItems": 101}, ("maxItems",), "too_big"),
        ({"maxItems": 1e300}, ("maxItems",), "too_big"),
        ({"sources": "https://a.example/"}, ("sources",), "invalid_type"),
        ({"sources": ["ftp://a.example/"]}, ("sources", 0), "invalid_string"),
        ({"sources": [5]}, ("sources", 0), "invalid_type"),
        ({"sources": ["https://a.example/"] * 21}, ("sources",), "too_big"),
        ("text", (), "invalid_type"),
    ],
)
def test_other_input_is_refused(value: Any, path: tuple[str | int, ...], code: str) -> None:
    _, faults = catalog.validate_input(daily_crypto_brief.JOB_TYPE, value)

    assert [(fault.path, fault.code) for fault in faults] == [(path, code)]
