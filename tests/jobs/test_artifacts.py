"""Files of jobs: whole or not at all, and always below ``DATA_DIR``."""

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jobs.artifacts import delete_folder, open_artifact, safe_name, write_artifact
from jobs.contract import StoredArtifact
from jobs.models import Artifact


def write(name: str = "brief.md", raw: bytes = b"# Brief", *, job_id: int = 41, run: int = 3) -> StoredArtifact:
    return write_artifact(job_id=job_id, run=run, name=name, raw=raw, media_type="text/markdown")


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("brief.md", "brief.md"),
        ("Brief_2026-03-01.MD", "Brief_2026-03-01.MD"),
        ("a b.txt", "a-b.txt"),
        ("sub/folder/file.txt", "sub-folder-file.txt"),
        ("../../etc/passwd", "etc-passwd"),
        ("/etc/passwd", "etc-passwd"),
        ("C:\\windows\\system.ini", "C-windows-system.ini"),
        ("..", "artifact"),
        (".", "artifact"),
        ("", "artifact"),
        (".hidden", "hidden"),
        ("-rf", "rf"),
        ("⏰", "artifact"),
        ("größe.txt", "gr-e.txt"),
        ("nul\x00byte", "nul-byte"),
        ("line\nbreak", "line-break"),
        ("\ud800.md", "md"),
        ("x" * 500, "x" * 120),
    ],
)
def test_a_name_is_made_safe(name: str, kept: str) -> None:
    assert safe_name(name) == kept


@given(st.text(max_size=300))
def test_any_name_becomes_one_plain_file_name(name: str) -> None:
    kept = safe_name(name)

    assert 1 <= len(kept) <= 120
    assert kept.isascii()
    assert not kept.startswith((".", "-"))
    assert os.path.basename(kept) == kept  # noqa: PTH119  (the question is what a path makes of it)
    assert safe_name(kept) == kept


@given(st.text(max_size=80) | st.sampled_from(["../../../evil", "/tmp/evil", "..", "a/../../b"]))  # noqa: S108
@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_the_name_the_file_lies_below_the_folder(owner: Any, name: str) -> None:
    stored = write(name)

    assert Path(stored.path).resolve().is_relative_to(owner.DATA_DIR / "41" / "3")
    outside = files_below(owner.RUNNER_DATA_DIR) - {f"artifacts/{name}" for name in files_below(owner.DATA_DIR)}
    assert outside == set()


def test_what_is_stored_is_told(owner: Any) -> None:
    stored = write(raw="⏰".encode())

    assert stored == StoredArtifact(
        name="brief.md",
        media_type="text/markdown",
        size=3,
        sha256=hashlib.sha256("⏰".encode()).hexdigest(),
        path=str(owner.DATA_DIR / "41" / "3" / "brief.md"),
    )
    assert Path(stored.path).read_bytes() == "⏰".encode()


def test_runs_have_folders_of_their_own() -> None:
    first, second = write(run=1), write(run=2, raw=b"second")

    assert Path(first.path).read_bytes() == b"# Brief"
    assert Path(second.path).read_bytes() == b"second"


def test_writing_again_replaces_the_file_and_leaves_nothing_else(owner: Any) -> None:
    write(raw=b"old")
    write(raw=b"new")

    assert files_below(owner.DATA_DIR) == {"41/3/brief.md"}
    assert (owner.DATA_DIR / "41/3/brief.md").read_bytes() == b"new"


@pytest.mark.parametrize("failing", ["os.fsync", "pathlib.Path.replace"])
def test_a_file_that_could_not_be_written_whole_is_not_there(
    owner: Any, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    write(raw=b"old")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(failing, fail)
    with pytest.raises(OSError, match="No space left"):
        write(raw=b"new")

    assert (owner.DATA_DIR / "41/3/brief.md").read_bytes() == b"old"
    assert files_below(owner.DATA_DIR) == {"41/3/brief.md"}


def test_the_file_and_its_name_are_on_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[bool] = []
    fsync = os.fsync

    def spy(descriptor: int) -> None:
        synced.append(os.path.isdir(f"/proc/self/fd/{descriptor}"))  # noqa: PTH112
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    write()

    assert synced == [False, True]


def test_deleting_takes_all_files_of_the_job_and_no_others(owner: Any) -> None:
    write(job_id=4)
    write(job_id=41, run=1)
    write(job_id=41, run=2)

    delete_folder(41)

    assert files_below(owner.DATA_DIR) == {"4/3/brief.md"}


def test_deleting_nothing_is_no_error() -> None:
    delete_folder(41)


# -- reading them -------------------------------------------------------------------------------------------------


def row(path: str, size: int = 7) -> Artifact:
    return Artifact(path=path, size=size)


def test_an_artifact_is_read_back() -> None:
    write()

    with open_artifact(row("41/3/brief.md")) as file:
        assert file.read() == b"# Brief"


@pytest.mark.parametrize(
    ("path", "size"), [("41/3/other.md", 7), ("41/3/brief.md", 8), ("41/3", 7), ("../secret", 7), ("/etc/hostname", 7)]
)
def test_what_the_job_did_not_write_is_not_read(owner: Any, path: str, size: int) -> None:
    write()
    (owner.DATA_DIR.parent / "secret").write_bytes(b"1234567")

    with pytest.raises(OSError):  # noqa: PT011  (which one is the system's choice)
        open_artifact(row(path, size))


def test_a_link_out_of_the_folder_is_not_followed(owner: Any) -> None:
    stored = write()
    secret = owner.DATA_DIR.parent / "secret"
    secret.write_bytes(b"1234567")
    Path(stored.path).unlink()
    Path(stored.path).symlink_to(secret)

    with pytest.raises(OSError):  # noqa: PT011
        open_artifact(row("41/3/brief.md"))


def test_a_folder_that_was_removed_is_made_again(owner: Any) -> None:
    write()
    shutil.rmtree(owner.DATA_DIR)

    assert Path(write().path).exists()
