"""The job types one after the other, as an agent uses them: one result feeds the next, in real workers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.stack import Stack, free_port, wait_for

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]
PAGE = "<title>\u05d4\u05e0\u05de\u05dc</title><article>" + (
    "<p dir=rtl>\u05d4\u05e0\u05de\u05dc \u05d9\u05d9\u05e1\u05d2\u05e8 \u05d1\u05de\u05e8\u05e5. "
    "\u05e8\u05d0\u05e9 \u05d4\u05e2\u05d9\u05e8 \u05d0\u05d5\u05d4\u05d1 \u05ea\u05d4. </p>" * 8
)
MOST_MIB = 250


class Town:
    """A web page in an old encoding, a language model, and a phone, all on one port of loopback."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        town = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(PAGE.encode("cp1255"), "text/html; charset=windows-1255")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if self.path == "/v1/chat/completions":
                    said = {"choices": [{"message": {"content": "By the model."}}], "usage": {"total_tokens": 100}}
                    return self._answer(json.dumps(said).encode(), "application/json")
                town.messages.append(body["message"])
                return self._answer(b"", "text/plain")

            def _answer(self, body: bytes, media_type: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def town() -> Iterator[Town]:
    found = Town()
    yield found
    found.close()


@pytest.fixture
def stack(tmp_path: Path, database_url: str, town: Town) -> Iterator[Stack]:
    """A stack whose owner has a model with a small budget, and whose reminders for Ana go to her."""
    port = free_port()
    environment = {
        "CALLBACK_PORT": str(port),
        "CALLBACK_URL": f"http://127.0.0.1:{port}/callback",
        "FETCH_ALLOWED_HOSTS": town.place,
        "LLM_BASE_URL": f"http://{town.place}/v1",
        "LLM_MODEL": "small",
        "LLM_BUDGET_TOKENS_PER_DAY": "3000",
        "NOTIFY_RECIPIENTS": f"ana=json://{town.place}/ana",
    }
    with Stack(tmp_path, database_url=database_url, **environment) as running:
        yield running


def result_of(stack: Stack, job_type: str, **job_input: Any) -> dict[str, Any]:
    """Run a job and return it; fails unless it completed."""
    job = stack.finish(stack.submit(job_type, input=job_input))
    assert job["state"] == "completed", job["failedReason"]
    return job


def test_from_a_page_to_a_summary_to_an_index_to_a_search_to_a_reminder(stack: Stack, town: Town) -> None:
    summary = result_of(stack, "summarize", url=f"http://{town.place}/", sentences=2, engine="extractive")
    assert summary["returnvalue"]["language"] == "he"
    assert summary["spent"] is None

    by_model = result_of(stack, "summarize", text="One. Two. Three.", sentences=1)
    assert (by_model["returnvalue"]["sentences"], by_model["spent"]) == (["By the model."], {"tokens": 100, "usd": 0.0})
    too_much = stack.finish(stack.submit("summarize", input={"text": "word " * 9000, "engine": "llm"}))
    assert (too_much["state"], too_much["digest"]["errorClass"]) == ("failed", "BudgetExceeded")

    reference = {"$job": summary["id"], "artifact": "summary.md"}
    documents = [{"id": "zh", "text": "\u4eca\u5929\u5317\u4eac\u5929\u6c14\u6674\u6717\u3002"}]
    indexed = result_of(stack, "index", collection="notes", artifactIds=[reference], documents=documents)
    assert indexed["returnvalue"]["added"] == 2
    found = result_of(stack, "search", collection="notes", query="\u05d4\u05e0\u05de\u05dc")["returnvalue"]
    assert [hit["id"] for hit in found["hits"]] == [f"artifact:{summary['artifacts'][0]['id']}"]
    assert len(result_of(stack, "search", collection="notes", query="\u5317\u4eac")["returnvalue"]["hits"]) == 1

    reminder = result_of(stack, "reminder", message="Tea", recipient="Ana")
    snoozed = stack.request("PATCH", f"/jobs/{reminder['id']}", {"action": "snooze", "seconds": 1}).json()
    assert stack.finish(snoozed["jobId"])["returnvalue"]["snoozes"] == 1
    wait_for(lambda: town.messages == ["\u23f0 Reminder: Tea"] * 2)

    worker = psutil.Process(stack.pid_of("worker"))
    sizes = {child.pid: child.memory_info().rss // 2**20 for child in worker.children(recursive=True)}
    assert sizes
    assert max(sizes.values()) < MOST_MIB, sizes
    print(f"worker children, MiB: {sorted(sizes.values())}")
