"""``GET /jobs/:id/artifacts`` and ``GET /artifacts/:id``."""

import hashlib
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from jobs.artifacts import CHUNK, write_artifact
from jobs.models import Artifact, Job
from tests.jobs.making import ended
from tests.parts import Api

pytestmark = pytest.mark.django_db

PAGE = "# Brief\n\n⏰ News\n".encode()


def written(job: Job, name: str = "brief.md", raw: bytes = PAGE, media_type: str = "text/markdown") -> Artifact:
    stored = write_artifact(job_id=job.pk, run=1, name=name, raw=raw, media_type=media_type)
    return Artifact.objects.create(
        job=job,
        run=1,
        name=stored.name,
        media_type=media_type,
        size=stored.size,
        sha256=stored.sha256,
        path=f"{job.pk}/1/{stored.name}",
        created_at=timezone.now(),
    )


def body_of(answer: Any) -> bytes:
    return b"".join(answer) if answer.streaming else answer.content


def test_a_job_lists_its_artifacts_with_their_addresses(api: Api):
    job = ended()
    first, second = written(job), written(job, "items.json", b"[]", "application/json")
    written(ended(), "other.md")

    answer = api.get(f"/jobs/{job.pk}/artifacts").json()

    assert answer["artifacts"][0] == {
        "id": str(first.pk),
        "name": "brief.md",
        "mediaType": "text/markdown",
        "size": len(PAGE),
        "sha256": hashlib.sha256(PAGE).hexdigest(),
        "url": f"/artifacts/{first.pk}",
    }
    assert [artifact["id"] for artifact in answer["artifacts"]] == [str(first.pk), str(second.pk)]
    assert api.get(f"/jobs/{job.pk}").json()["artifacts"] == answer["artifacts"]


def test_a_job_without_artifacts_has_an_empty_list_and_no_job_has_none(api: Api):
    assert api.get(f"/jobs/{ended().pk}/artifacts").json() == {"artifacts": []}
    assert api.get("/jobs/999999/artifacts").status_code == 404


def test_the_file_comes_whole_with_its_type_tag_and_name(api: Api):
    artifact = written(ended())

    answer = api.get(f"/artifacts/{artifact.pk}")

    assert answer.status_code == 200
    assert body_of(answer) == PAGE
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(PAGE))
    assert answer.headers["ETag"] == f'"{artifact.sha256}"'
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["Content-Disposition"] == 'inline; filename="brief.md"'


def test_a_page_that_a_job_wrote_can_do_nothing_in_a_browser(api: Api):
    artifact = written(ended(), "page.html", b"<script>alert(1)</script>", "text/html")

    answer = api.get(f"/artifacts/{artifact.pk}")

    assert answer.headers["Content-Security-Policy"] == "sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_large_file_comes_in_chunks(api: Api):
    raw = bytes(range(256)) * 1024
    artifact = written(ended(), "data.bin", raw, "application/octet-stream")

    chunks = list(api.get(f"/artifacts/{artifact.pk}"))

    assert b"".join(chunks) == raw
    assert max(map(len, chunks)) <= CHUNK


def test_a_range_is_206_and_says_which(api: Api):
    artifact = written(ended())

    answer = api.get(f"/artifacts/{artifact.pk}", Range="bytes=2-6")

    assert answer.status_code == 206
    assert body_of(answer) == PAGE[2:7] == b"Brief"
    assert answer.headers["Content-Range"] == f"bytes 2-6/{len(PAGE)}"
    assert answer.headers["Content-Length"] == "5"


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "bytes=5-2", "words=1-2"])
def test_several_ranges_or_nonsense_are_ignored(api: Api, header: str):
    answer = api.get(f"/artifacts/{written(ended()).pk}", Range=header)

    assert answer.status_code == 200
    assert body_of(answer) == PAGE


def test_a_range_beyond_the_end_is_416_with_the_size(api: Api):
    answer = api.get(f"/artifacts/{written(ended()).pk}", Range="bytes=5000-")

    assert answer.status_code == 416
    assert answer.json()["error"] == "range_not_satisfiable"
    assert answer.headers["Content-Range"] == f"bytes */{len(PAGE)}"


def test_whoever_has_the_file_already_gets_304(api: Api):
    artifact = written(ended())

    answer = api.get(f"/artifacts/{artifact.pk}", If_None_Match=f'"old", "{artifact.sha256}"')

    assert answer.status_code == 304
    assert body_of(answer) == b""
    assert answer.headers["ETag"] == f'"{artifact.sha256}"'


def test_head_says_all_and_sends_nothing(api: Api):
    artifact = written(ended())

    answer = api.request("HEAD", f"/artifacts/{artifact.pk}", Range="bytes=0-1")

    assert answer.status_code == 200
    assert body_of(answer) == b""
    assert answer.headers["Content-Length"] == str(len(PAGE))
    assert answer.headers["ETag"] == f'"{artifact.sha256}"'


def test_an_empty_file_is_a_file(api: Api):
    answer = api.get(f"/artifacts/{written(ended(), raw=b'').pk}")

    assert answer.status_code == 200
    assert body_of(answer) == b""


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_that_is_gone_is_410(api: Api, method: str):
    artifact = written(ended())
    (settings.DATA_DIR / artifact.path).unlink()

    answer = api.request(method, f"/artifacts/{artifact.pk}")

    assert answer.status_code == 410


def test_a_file_that_somebody_changed_is_not_passed_off_as_the_jobs(api: Api):
    artifact = written(ended())
    (settings.DATA_DIR / artifact.path).write_bytes(b"something else")

    answer = api.get(f"/artifacts/{artifact.pk}")

    assert answer.json()["error"] == "artifact_gone"


def test_a_row_never_leads_out_of_the_folder(api: Api):
    artifact = written(ended())
    outside = settings.DATA_DIR.parent / "secret"
    outside.write_bytes(PAGE)
    Artifact.objects.update(path="../secret")

    assert api.get(f"/artifacts/{artifact.pk}").status_code == 410


@pytest.mark.parametrize("artifact_id", ["0", "999999", "x", "-1", "9" * 40, "%00"])
def test_an_unknown_artifact_is_404(api: Api, artifact_id: str):
    assert api.get(f"/artifacts/{artifact_id}").status_code == 404


def test_the_file_needs_a_token_like_everything_else(api: Api):
    assert api.get(f"/artifacts/{written(ended()).pk}", Authorization="").status_code == 401
