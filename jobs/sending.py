"""Sending a file that a job wrote: whole, in part, or not at all because the client has it (RFC 9110)."""

from typing import BinaryIO

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header
from rest_framework.request import Request

from jobs.artifacts import FilePart, open_artifact
from jobs.downloads import NotSatisfiable, Part, is_known, range_of
from jobs.models import Artifact
from pirunner.errors import ApiError


class ArtifactGone(ApiError):
    """The job wrote the file, but it is no longer on the disk."""

    status = 410
    code = "artifact_gone"


class RangeNotSatisfiable(ApiError):
    """The range begins beyond the end of the file."""

    status = 416
    code = "range_not_satisfiable"


def send_artifact(
    request: HttpRequest | Request, artifact: Artifact, *, as_attachment: bool = False
) -> HttpResponseBase:
    """Send the file, or one range of it; 304 when the client has it already.

    Raises ``ArtifactGone`` or ``RangeNotSatisfiable``.
    """
    headers = _headers(artifact, as_attachment=as_attachment)
    if is_known(request.headers, headers["ETag"]):
        return HttpResponse(status=304, headers=headers)
    file = open_file(artifact)
    if request.method == "HEAD":
        file.close()
        return HttpResponse(headers={**headers, "Content-Length": str(artifact.size)})
    try:
        part = range_of(request.headers, etag=headers["ETag"], size=artifact.size)
    except NotSatisfiable:
        file.close()
        raise _beyond_the_end(artifact) from None
    return _send(file, part, artifact.size, headers)


def open_file(artifact: Artifact) -> BinaryIO:
    """Open the file of an artifact; raises ``ArtifactGone`` when it is not there as the job wrote it."""
    try:
        return open_artifact(artifact)
    except OSError:
        raise ArtifactGone(f"The file {artifact.name} is no longer as the job wrote it.") from None


def _beyond_the_end(artifact: Artifact) -> RangeNotSatisfiable:
    return RangeNotSatisfiable(
        f"The file has {artifact.size} bytes.", headers={"Content-Range": f"bytes */{artifact.size}"}
    )


def _send(file: BinaryIO, part: Part | None, size: int, headers: dict[str, str]) -> StreamingHttpResponse:
    sent = part or Part(0, size)
    more = {"Content-Length": str(sent.end - sent.first)}
    if part:
        more["Content-Range"] = f"bytes {part.first}-{part.end - 1}/{size}"
    chunks = FilePart(file, sent.first, sent.end)
    return StreamingHttpResponse(chunks, status=206 if part else 200, headers={**headers, **more})


def _headers(artifact: Artifact, *, as_attachment: bool) -> dict[str, str]:
    """Return the headers of every answer; a page that a job wrote is shown without scripts, as from nowhere."""
    disposition = content_disposition_header(as_attachment=as_attachment, filename=artifact.name)
    return {
        "Content-Type": _media_type(artifact),
        "Content-Disposition": disposition or "inline",
        "ETag": f'"{artifact.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-cache",
        "Content-Security-Policy": "sandbox",
        "X-Content-Type-Options": "nosniff",
    }


def _media_type(artifact: Artifact) -> str:
    """Return the media type; what a job gives as text is written in UTF-8, and a browser would guess otherwise."""
    is_text = artifact.media_type.startswith("text/") and "charset" not in artifact.media_type
    return f"{artifact.media_type}; charset=utf-8" if is_text else artifact.media_type
