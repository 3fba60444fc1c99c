"""Inputs that name files of earlier jobs."""

from typing import Annotated, Any

import msgspec
import pytest
from django.utils import timezone

from jobs.artifact_fields import ArtifactId, artifact_of
from jobs.artifacts import delete_folder
from jobs.catalog import input_schema
from jobs.context import RunContext
from jobs.contract import Context, JobType
from jobs.endings import completed
from jobs.errors import DoNotRetry
from jobs.lifecycle import end_many
from jobs.models import Artifact, Job
from jobs.references import check_input
from jobs.runner import answer_ring
from tests.jobs.making import active, claim, ended, register, start
from tests.parts import Api

pytestmark = pytest.mark.usefixtures("committed_db")


class ReaderInput(msgspec.Struct, frozen=True, rename="camel"):
    source: Annotated[str, artifact_of("text/*")] | None = None
    more: list[ArtifactId] = []
    note: Any = None


def read(ctx: Context, job_input: ReaderInput) -> dict[str, Any]:
    """Return what stands in the files."""
    ids = [job_input.source, *job_input.more]
    return {"texts": [ctx.read_artifact(each).content.decode() for each in ids if each]}


READER = JobType(name="reader", description="Reads files.", input_model=ReaderInput, run=read)


@pytest.fixture(autouse=True)
def _reader(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch, READER)


def wrote(name: str = "a.md", content: str = "one", media_type: str = "text/markdown", **fields: Any) -> Artifact:
    """Return what a completed job wrote."""
    held = start(**fields)
    stored = RunContext(held).artifact(name, content, media_type)
    end_many([completed(held, {}, at=timezone.now(), artifacts=(stored,))])
    return Artifact.objects.get(job_id=held.job_id)


def faults(value: Any, owner: str = "bootstrap") -> list[tuple[tuple[str | int, ...], str]]:
    """Return where an input is wrong, and how."""
    return [(fault.path, fault.code) for fault in check_input(READER, value, owner=owner)[1]]


def test_every_way_to_name_a_file_is_kept_as_its_id(api: Api) -> None:
    one, two = wrote(), wrote("b.bin", "two", "application/octet-stream")
    body = {
        "jobType": "reader",
        "input": {
            "source": {"$job": str(one.job_id), "artifact": "a.md"},
            "more": [str(one.pk), {"$artifact": str(two.pk)}],
            "note": {"$artifact": "as it is"},
        },
    }

    job = Job.objects.get(pk=api.post("/jobs", body).json()["jobId"])

    ids = [str(one.pk), str(two.pk)]
    assert job.input == {"source": ids[0], "more": ids, "note": {"$artifact": "as it is"}}
    answer_ring("reader", worker="worker@test")
    assert api.get(f"/jobs/{job.pk}").json()["returnvalue"] == {"texts": ["one", "one", "two"]}


def test_all_that_lead_nowhere_are_told_beside_the_other_faults() -> None:
    running, failed = active(), ended("failed")
    found = faults(
        {
            "source": {"$job": str(running.pk), "artifact": "a.md"},
            "more": [
                "999",
                {"$artifact": "999"},
                {"$job": "999", "artifact": "a"},
                {"$job": str(failed.pk), "artifact": "a"},
                {"$job": str(wrote().job_id), "artifact": "b.md"},
                {"job": "7"},
            ],
        }
    )

    assert found == [
        (("source",), "job_not_ended"),
        (("more", 0), "unknown_artifact"),
        (("more", 1), "unknown_artifact"),
        (("more", 2), "unknown_job"),
        (("more", 3), "job_not_completed"),
        (("more", 4), "unknown_artifact"),
        (("more", 5), "invalid_reference"),
    ]


@pytest.mark.parametrize(("owner", "found"), [("ana", True), ("bootstrap", True), ("admin:eve", True), ("ben", False)])
def test_both_ways_to_name_a_file_lead_to_it_for_the_same_owners(owner: str, found: bool) -> None:
    file = wrote(owner="ana")

    by_id, by_job = str(file.pk), {"$job": str(file.job_id), "artifact": file.name}

    assert faults({"source": by_id}, owner) == ([] if found else [(("source",), "unknown_artifact")])
    assert faults({"source": by_job}, owner) == ([] if found else [(("source",), "unknown_job")])


def test_what_is_no_reference_at_all_is_a_fault_of_type() -> None:
    assert faults({"more": [7]}) == [(("more", 0), "invalid_type")]


def test_the_media_type_must_be_one_that_the_field_takes() -> None:
    assert faults({"source": str(wrote(media_type="image/png").pk)}) == [(("source",), "wrong_media_type")]
    assert faults({"source": str(wrote(media_type="TEXT/CSV; header=present").pk)}) == []


def test_nobody_reads_what_another_token_wrote() -> None:
    of_ana = wrote(owner="ana")

    assert faults({"source": str(of_ana.pk)}, owner="bob") == [(("source",), "unknown_artifact")]
    assert faults({"source": {"$job": str(of_ana.job_id), "artifact": "a.md"}}, owner="bob") == [
        (("source",), "unknown_job")
    ]
    assert faults({"source": str(of_ana.pk)}, owner="ana") == []
    assert faults({"source": str(of_ana.pk)}, owner="bootstrap") == []
    assert faults({"source": str(of_ana.pk)}, owner="admin:carla") == []


def test_the_schema_says_what_a_field_takes() -> None:
    field = input_schema(READER)["properties"]["source"]["anyOf"][0]

    assert field["x-artifact"] == {"mediaTypes": ["text/*"]}
    assert '{"$job": "<id>", "artifact": "<name>"}' in field["description"]


# -- reading when the job runs ------------------------------------------------------------------------------------


def test_a_file_that_is_gone_by_then_ends_the_job_and_says_so() -> None:
    artifact = wrote()
    reads = RunContext(claim(owner="bootstrap")).read_artifact
    delete_folder(artifact.job_id)

    with pytest.raises(DoNotRetry, match="no longer as its job wrote it"):
        reads(str(artifact.pk))
    with pytest.raises(DoNotRetry, match="There is no artifact '999' that this job may read"):
        reads("999")


def test_one_that_is_too_large_is_not_read() -> None:
    with pytest.raises(DoNotRetry, match="has 3 bytes; at most 2"):
        RunContext(claim(owner="bootstrap")).read_artifact(str(wrote().pk), max_bytes=2)


# -- schedules ----------------------------------------------------------------------------------------------------


def test_a_schedule_looks_its_references_up_whenever_it_fires(api: Api) -> None:
    artifact = wrote()
    number = str(artifact.pk)
    reference = {"$job": str(artifact.job_id), "artifact": "a.md"}
    body = {"jobType": "reader", "input": {"source": reference}, "schedule": {"everySeconds": 3600}}
    schedule_id = api.post("/jobs", body).json()["jobId"]

    fired = api.post(f"/schedules/{schedule_id}/run").json()
    artifact.delete()
    refused = api.post(f"/schedules/{schedule_id}/run")

    assert api.get(f"/jobs/{schedule_id}").json()["data"]["input"] == {"source": reference}
    assert Job.objects.get(pk=fired["jobId"]).input == {"source": number}
    assert (refused.status_code, refused.json()["error"]) == (409, "cannot_run")
