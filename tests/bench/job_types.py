"""`job_types`: the most memory that a worker's child takes for each type, with the heaviest input allowed."""

import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tests.bench.plan import Plan
from tests.bench.tables import Cell, show
from tests.jobs.awkward import pages, pdfs
from tests.jobs.awkward.server import AwkwardServer, awkward_server

_HEAD = ("MB resident", "before", "at most", "seconds")
_MIB = 1024 * 1024


def run(plan: Plan) -> None:  # noqa: ARG001  (one round is enough: memory hardly varies)
    """Run each type in a fresh process as large as a worker's child, and print the table."""
    with awkward_server() as server, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rows: list[list[Cell]] = [[name, *_measured(name, make(server), Path(folder))] for name, make in CASES.items()]
    show("job_types: one job with the heaviest input allowed", _HEAD, rows, "Aim: under 250 MB.")


def _measured(name: str, job_input: dict[str, Any], folder: Path) -> tuple[float, float, float]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
        return child.submit(_run_alone, name.partition(",")[0], job_input, folder).result()


def _run_alone(name: str, job_input: dict[str, Any], folder: Path) -> tuple[float, float, float]:
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()
    import pirunner.celery  # noqa: F401  (a worker's child has it loaded)
    from jobs import catalog
    from tests.jobs.handling import HandlerContext
    from tests.jobs.handling import run as run_handler

    context = HandlerContext(folder)
    if "csv" in job_input:
        context.add_file("1", "big.csv", job_input.pop("csv"), "text/csv")
    if "json" in job_input:
        context.add_file("1", "big.json", job_input.pop("json"), "application/json")
    before, begun = _peak(), time.monotonic()
    run_handler(catalog.registered()[name], context, **job_input)
    return before, _peak(), time.monotonic() - begun


def _peak() -> float:
    # Not ru_maxrss: a process begins with that of the one which started it.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _scrape(server: AwkwardServer) -> dict[str, Any]:
    article = pages.paragraphs(11_000).encode()[: 2 * _MIB]
    urls = [server.serve(f"/a{n}", article + b"<!-- %d -->" % n if n else article) for n in range(20)]
    server.serve("/tags", "<html><body>" + "<p>a<b>x</b></p>" * 120_000)
    return {"urls": [*urls, server.url("/tags")], "delaySeconds": 0}


def _monitor(server: AwkwardServer) -> dict[str, Any]:
    return {"url": server.serve("/lines", "<html><body>" + "<p>a<b>x</b></p>" * 120_000), "ignore": ["z+"] * 20}


def _feeds(server: AwkwardServer) -> list[str]:
    item = "word " * 10
    return [
        server.serve(f"/feed{n}", pages.feed(9_000, prefix=f"P{n}", description=item), "text/xml") for n in range(20)
    ]


def _digest(server: AwkwardServer) -> dict[str, Any]:
    return {"sources": _feeds(server), "maxItems": 200}


def _brief(server: AwkwardServer) -> dict[str, Any]:
    return {"sources": _feeds(server), "maxItems": 100, "summaries": True}


def _csv(_: AwkwardServer) -> dict[str, Any]:
    lines = [f"{n},name {n},{n % 97}.50,2025-01-{n % 28 + 1:02},{'x' * 20}" for n in range(70_000)]
    content = "\n".join(["id,name,price,day,note", *lines]).encode()[: 8 * _MIB]
    steps = [
        {"op": "derive", "column": "total", "value": "price * 2"},
        {"op": "sort", "by": ["-total", "name"]},
        {"op": "filter", "where": "note contains 'x'"},
    ]
    return {"csv": content, "artifactId": "1", "inferTypes": True, "steps": steps, "output": "html"}


def _json(_: AwkwardServer) -> dict[str, Any]:
    rows = [{"id": n, "nested": {"a": [n, n + 1], "b": "x" * 20}, "price": n / 7} for n in range(80_000)]
    steps = [{"op": "flatten"}, {"op": "unique", "by": ["id"]}]
    return {"json": json.dumps(rows).encode()[: 8 * _MIB], "artifactId": "1", "steps": steps, "output": "json"}


def _pdfs(server: AwkwardServer) -> dict[str, Any]:
    page = pdfs.text_page(*[f"Line {n} of a page that is full of words of all sorts" for n in range(60)])
    large = pdfs.make_pdf([page] * 2000) + b"%" * (15 * _MIB)
    server.serve("/large.pdf", large, "application/pdf")
    small = [server.serve(f"/small{n}.pdf", pdfs.make_pdf([page] * 20), "application/pdf") for n in range(150)]
    return {"urls": [server.url("/large.pdf"), *small], "maxPages": 5000}


CASES: dict[str, Callable[[AwkwardServer], dict[str, Any]]] = {
    "scrape": _scrape,
    "web-monitor": _monitor,
    "digest": _digest,
    "daily-crypto-brief": _brief,
    "transform, csv to html": _csv,
    "transform, json": _json,
    "pdf-batch": _pdfs,
}
