"""The files of jobs for people: sent with the session instead of a token, and looked into on the page."""

from dataclasses import dataclass

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from jobs.admin.code import coloured_diff, coloured_json
from jobs.admin.markdown import LARGEST, TooHard, render_markdown
from jobs.models import Artifact
from jobs.selectors import get_artifact
from jobs.sending import ArtifactGone, open_file, send_artifact
from pirunner.errors import ApiError, NotFound
from pirunner.wording import size

LONGEST_PREVIEW = 64 * 1024
"""Bytes of a text that the page shows."""
_SHOWN_BY_BROWSERS = frozenset(
    {
        "text/plain",
        "text/markdown",
        "text/csv",
        "application/json",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
    }
)
"""What is no danger when a browser shows it by itself; all else is saved."""
_TEXTS = frozenset(
    {
        *("application/json", "application/x-ndjson", "application/xml", "application/yaml", "application/x-yaml"),
        *("application/toml", "application/sql", "application/javascript", "application/rss+xml", "image/svg+xml"),
    }
)


@dataclass(frozen=True, slots=True)
class Preview:
    """What the page shows of a file: Markdown rendered, text, a picture's address or nothing; and a remark."""

    kind: str
    html: SafeString | str = ""
    remark: str = ""


def can_be_looked_into(artifact: Artifact) -> bool:
    """Return whether the page can show something of a file."""
    return is_text(artifact) or _bare_type(artifact).startswith("image/")


def is_text(artifact: Artifact) -> bool:
    """Return whether a file holds text."""
    media_type = _bare_type(artifact)
    return media_type.startswith("text/") or media_type in _TEXTS or media_type.endswith("+json")


def is_markdown(artifact: Artifact) -> bool:
    """Return whether a file is a page of Markdown."""
    return _bare_type(artifact) == "text/markdown"


def preview_of(artifact: Artifact) -> Preview:
    """Return what the page shows of a file."""
    if artifact.media_type in {"image/png", "image/jpeg", "image/gif", "image/webp"}:
        return Preview("picture")
    if not is_text(artifact):
        return Preview("none", remark="This is no text. Download it to look into it.")
    try:
        with open_file(artifact) as file:
            raw = file.read(LARGEST if is_markdown(artifact) else LONGEST_PREVIEW)
    except ArtifactGone as error:
        return Preview("none", remark=str(error))
    text = raw.decode(errors="replace")
    if is_markdown(artifact):
        return _markdown(artifact, text)
    return Preview("text", _coloured(artifact, text), _cut_remark(artifact, len(raw)))


def send_file(request: HttpRequest, artifact_id: str) -> HttpResponseBase:
    """Answer with a file: shown by the browser if it is harmless, else saved. 404 or 410 when there is none."""
    artifact = _artifact(request, artifact_id)
    saved = "save" in request.GET or _bare_type(artifact) not in _SHOWN_BY_BROWSERS
    try:
        return send_artifact(request, artifact, as_attachment=saved)
    except ApiError as error:
        return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")


def show_preview(request: HttpRequest, artifact_id: str) -> TemplateResponse:
    """Answer with what the page shows of a file when its reader opens it."""
    artifact = _artifact(request, artifact_id)
    context = {"artifact": artifact, "preview": preview_of(artifact), **admin.site.each_context(request)}
    return TemplateResponse(request, "jobs/preview.html", context)


def _artifact(request: HttpRequest, artifact_id: str) -> Artifact:
    if not request.user.has_perm("jobs.view_artifact"):
        raise PermissionDenied
    try:
        return get_artifact(artifact_id)
    except NotFound as error:
        raise Http404(str(error)) from None


def _markdown(artifact: Artifact, text: str) -> Preview:
    if artifact.size > LARGEST:
        remark = f"This page is too long to be rendered here ({size(artifact.size)}): its source, the first part of it."
        return Preview("text", text[:LONGEST_PREVIEW], remark)
    try:
        return Preview("markdown", render_markdown(text))
    except TooHard:
        return Preview("text", text[:LONGEST_PREVIEW], "This page is too hard to render here: its source.")


def _coloured(artifact: Artifact, text: str) -> SafeString | str:
    media_type = _bare_type(artifact)
    if "json" in media_type:
        return coloured_json(text)
    return coloured_diff(text) if media_type in {"text/x-diff", "text/x-patch", "text/diff"} else text


def _cut_remark(artifact: Artifact, shown: int) -> str:
    return f"The first {size(shown)} of {size(artifact.size)}." if shown < artifact.size else ""


def _bare_type(artifact: Artifact) -> str:
    return artifact.media_type.partition(";")[0].strip().lower()
