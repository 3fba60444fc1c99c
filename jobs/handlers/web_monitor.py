"""``web-monitor``: looks at a page, and says what changed since the last time."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from jobs.contract import Context, JobType
from jobs.errors import DoNotRetry, JobFailed, RetryAfter
from jobs.packing import recalled_text, remember_text
from jobs.pages.changes import Change, compare
from jobs.pages.fetching import GONE, NOT_MODIFIED, Page, PageFault, conditional, fetch_page
from jobs.pages.visible import is_selector
from jobs.pages.watching import watched_lines
from jobs.patterns import BadPattern, SafePattern
from jobs.plain_text import short_address
from pirunner.errors import Fault
from pirunner.times import iso
from pirunner.wording import counted

_WRITTEN_AGAIN = timedelta(days=30)
"""What is kept goes when nobody has written it for a year: a page that never changes must stay known."""

Pattern = Annotated[str, Meta(min_length=1, max_length=200, examples=[r"\d+ (?:views|comments)"])]


class MonitorInput(msgspec.Struct, frozen=True, rename="camel"):
    """What to look at, what of it matters, and when to call back."""

    url: Annotated[
        str,
        Meta(max_length=2048, pattern="^https?://", description="The page.", examples=["https://example.com/prices"]),
    ]
    selector: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=300,
                description="CSS selector of the parts to compare; default: all of the page.",
                examples=["main .price"],
            ),
        ]
        | None
    ) = None
    ignore: Annotated[
        tuple[Pattern, ...],
        Meta(max_length=20, description="Regular expressions; what they match in a line is not compared."),
    ] = ()
    notify_on: Annotated[
        Literal["change", "always", "error"],
        Meta(description="Call back when something changed, each time, or only when the page could not be read."),
    ] = "change"


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier job saw: the lines (none if the page was gone), when, and what identifies that version."""

    lines: tuple[str, ...]
    present: bool
    at: str
    changed_at: str
    written_at: str
    pieces: int
    etag: str = ""
    last_modified: str = ""


def check(job_input: MonitorInput) -> list[Fault]:
    """Return what the schema cannot say: whether selector and patterns can be used."""
    faults = []
    if job_input.selector is not None and not is_selector(job_input.selector):
        faults.append(Fault(("selector",), "invalid_string", "Send a CSS selector; this one cannot be read."))
    for number, pattern in enumerate(job_input.ignore):
        try:
            SafePattern(pattern)
        except BadPattern as error:
            faults.append(Fault(("ignore", number), "invalid_string", str(error)))
    return faults


def run(ctx: Context, job_input: MonitorInput) -> dict[str, Any]:
    """Fetch the page and compare it. Raises ``JobFailed`` when it cannot be read, now or (``DoNotRetry``) ever."""
    key = _memory_key(job_input)
    known = _recall(ctx, key)
    try:
        page, lines = _look(ctx, job_input, known)
    except PageFault as fault:
        raise _failure(fault, job_input.url) from None
    if known is None and lines is None:
        raise DoNotRetry(f"Nothing on {short_address(job_input.url)} is what the selector names, or there is no page.")
    now = datetime.now(UTC)
    change = _change(known, lines, now)
    seen = _remember(ctx, key, known, page, lines, changed=bool(change.diff), now=now)
    return _result(ctx, job_input, known=known, seen=seen, change=change, page=page)


def _look(ctx: Context, job_input: MonitorInput, known: Known | None) -> tuple[Page | None, Sequence[str] | None]:
    """Return the answer and the lines to compare; no lines when there is no page, or nothing that is watched on it.

    A page that is gone counts as changed if it was there before; for a page that never was it is a fault.
    """
    asks = conditional(known.etag, known.last_modified) if known and known.present else {}
    try:
        page = fetch_page(ctx.http, job_input.url, asks)
    except PageFault as fault:
        if fault.status not in GONE or known is None:
            raise
        ctx.log(str(fault), "warning")
        return None, None
    if page.status == NOT_MODIFIED and known:
        return page, known.lines
    return page, watched_lines(page, job_input.selector, [SafePattern(pattern) for pattern in job_input.ignore])


def _failure(fault: PageFault, url: str) -> JobFailed:
    sentence = f"{short_address(url)}: {fault}"
    if fault.permanent:
        return DoNotRetry(sentence)
    return RetryAfter(fault.retry_after, sentence) if fault.retry_after else JobFailed(sentence)


def _change(known: Known | None, lines: Sequence[str] | None, now: datetime) -> Change:
    if known is None:
        return Change()
    return compare(known.lines, lines or (), names=(f"page {known.at}", f"page {iso(now)}"))


def _result(
    ctx: Context, job_input: MonitorInput, *, known: Known | None, seen: Known, change: Change, page: Page | None
) -> dict[str, Any]:
    changed = bool(change.diff) or (known is not None and known.present != seen.present)
    artifact = None
    if known is None:
        artifact = ctx.artifact("page.txt", "\n".join(seen.lines) + "\n", "text/plain")
    elif change.diff:
        artifact = ctx.artifact("change.diff", change.diff, "text/x-diff")
    return {
        "summary": _summary(job_input.url, known, seen, change, changed=changed),
        "changed": changed,
        "firstTime": known is None,
        "present": seen.present,
        "status": page.status if page else 404,
        "added": change.added,
        "removed": change.removed,
        "excerpt": change.excerpt,
        "lines": len(seen.lines),
        "previousAt": known.at if known else None,
        "lastChangedAt": seen.changed_at,
        "finalUrl": page.url if page else None,
        "notify": {"change": changed, "always": True, "error": False}[job_input.notify_on],
        "artifactPath": artifact.path if artifact else None,
    }


def _summary(url: str, known: Known | None, seen: Known, change: Change, *, changed: bool) -> str:
    where = short_address(url)
    if known is None:
        return f"{where} is watched from now on ({counted(len(seen.lines), 'line')})"
    if not changed:
        return f"{where} has not changed" + ("" if seen.present else " and is still gone")
    if seen.present != known.present:
        return f"{where} is {'back' if seen.present else 'gone'}"
    return f"{where} changed: {counted(change.added, 'line')} added, {change.removed:,} removed"


def _remember(
    ctx: Context,
    key: str,
    known: Known | None,
    page: Page | None,
    lines: Sequence[str] | None,
    *,
    changed: bool,
    now: datetime,
) -> Known:
    """Keep what was seen for the next job, and return it; a text that is known already is not written again."""
    at = iso(now) or ""
    fresh = known is not None and now - datetime.fromisoformat(known.written_at) < _WRITTEN_AGAIN
    unchanged = known is not None and not changed
    if known and unchanged and fresh:
        pieces, written_at = known.pieces, known.written_at
    else:
        pieces, written_at = remember_text(ctx.keep, key, json.dumps(list(lines or ()))), at
    modified = page is not None and page.status != NOT_MODIFIED
    seen = Known(
        lines=tuple(lines or ()),
        present=lines is not None,
        at=at,
        changed_at=known.changed_at if known and unchanged else at,
        written_at=written_at,
        pieces=pieces,
        etag=page.etag if page and modified else known.etag if known and page else "",
        last_modified=page.last_modified if page and modified else known.last_modified if known and page else "",
    )
    ctx.keep(key, _document_of(seen))
    return seen


def _document_of(known: Known) -> dict[str, Any]:
    return {name: getattr(known, name) for name in Known.__dataclass_fields__ if name != "lines"}


def _recall(ctx: Context, key: str) -> Known | None:
    document: Mapping[str, Any] | None = ctx.recall(key)
    if not document:
        return None
    text = recalled_text(ctx.recall, key, document["pieces"])
    return None if text is None else Known(lines=tuple(json.loads(text)), **document)


def _memory_key(job_input: MonitorInput) -> str:
    """Return under what a page is known: another selector or other patterns see another page."""
    parts = json.dumps([job_input.url, job_input.selector, list(job_input.ignore)])
    return f"page {hashlib.sha256(parts.encode()).hexdigest()}"


JOB_TYPE = JobType(
    name="web-monitor",
    description="Looks at a page and says what changed since the last time, with the difference line by line.",
    input_model=MonitorInput,
    check=check,
    run=run,
    time_limit=120,
    may_be_quiet=True,
)
