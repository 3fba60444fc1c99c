"""Archives that are damaged, or made by an enemy: nothing leaves the folder, and nothing is believed."""

import gzip
import io
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pirunner.backup import places
from pirunner.backup.faults import BackupFault
from pirunner.backup.manifest import Manifest, decode, encode
from pirunner.backup.reading import name_fault, unpack
from pirunner.backup.restoring import unknown_migrations
from pirunner.backup.writing import Archive, replacing


def manifest(archive: Archive | None = None) -> Manifest:
    return Manifest(
        version="1",
        made_at=datetime(2026, 3, 1, tzinfo=UTC),
        database="sqlite",
        migrations=(),
        rows={"jobs": 1},
        entries=tuple(archive.entries) if archive else (),
    )


def packed(folder: Path, files: dict[str, bytes]) -> bytes:
    """An archive as ours are."""
    output = io.BytesIO()
    archive = Archive(output)
    for name, content in files.items():
        (folder / "content").write_bytes(content)
        with (folder / "content").open("rb") as file:
            archive.add_file(name, file)
    archive.add_last(places.MANIFEST, encode(manifest(archive)))
    archive.close()
    return output.getvalue()


def forged(*members: tarfile.TarInfo, content: bytes = b"x") -> bytes:
    """An archive with members of any sort."""
    output = io.BytesIO()
    with gzip.GzipFile(fileobj=output, mode="wb") as zipped, tarfile.open(fileobj=zipped, mode="w|") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    return output.getvalue()


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, target
    return made


def test_what_was_packed_is_unpacked(tmp_path: Path):
    raw = packed(tmp_path, {places.SQLITE: b"db", "artifacts/7/1/a.md": b"tea"})
    (tmp_path / "out").mkdir()

    found = unpack(io.BytesIO(raw), tmp_path / "out")

    assert [entry.name for entry in found.entries] == [places.SQLITE, "artifacts/7/1/a.md"]
    assert (tmp_path / "out" / "artifacts" / "7" / "1" / "a.md").read_bytes() == b"tea"
    assert (tmp_path / "out" / places.SQLITE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("evil", "reason"),
    [
        (member("../x"), "leads out"),
        (member("/etc/x"), "leads out"),
        (member("artifacts/../../x"), "leads out"),
        (member("artifacts//x"), "leads out"),
        (member("artifacts/a\nb"), "leads out"),
        (member("somewhere/x"), "no such thing"),
        (member("artifacts"), "no such thing"),
        (member("artifacts/x", tarfile.SYMTYPE, "/etc/passwd"), "no plain file"),
        (member("artifacts/x", tarfile.LNKTYPE, "manifest.json"), "no plain file"),
        (member("artifacts/x", tarfile.FIFOTYPE), "no plain file"),
        (member("artifacts/x", tarfile.DIRTYPE), "no plain file"),
    ],
)
def test_what_would_leave_the_folder_is_refused(tmp_path: Path, evil: tarfile.TarInfo, reason: str):
    (tmp_path / "out").mkdir()

    with pytest.raises(BackupFault, match=reason):
        unpack(io.BytesIO(forged(evil)), tmp_path / "out")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path):
    with pytest.raises(BackupFault, match="twice"):
        unpack(io.BytesIO(forged(member("artifacts/x"), member("artifacts/x"))), tmp_path)


SPOILT: list[Callable[[bytes], bytes]] = [
    lambda raw: raw[:-40],
    lambda raw: raw[: len(raw) // 2],
    lambda _: b"no archive",
    lambda _: b"",
    lambda _: gzip.compress(b"x" * 600),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_half_an_archive_is_no_backup(tmp_path: Path, spoil: Callable[[bytes], bytes]):
    raw = packed(tmp_path, {places.SQLITE: bytes(range(256)) * 40})
    (tmp_path / "out").mkdir()

    with pytest.raises(BackupFault, match="no backup"):
        unpack(io.BytesIO(spoil(raw)), tmp_path / "out")


def test_a_file_that_is_not_what_the_manifest_says_is_damage(tmp_path: Path):
    told = encode(manifest())

    with pytest.raises(BackupFault, match="artifacts/x is not what"):
        unpack(io.BytesIO(forged(member("artifacts/x"), member(places.MANIFEST), content=told)), tmp_path)


def test_a_manifest_of_another_format_asks_for_an_upgrade():
    with pytest.raises(BackupFault, match="upgrade"):
        decode(encode(manifest()).replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(BackupFault, match="cannot be read"):
        decode(b"[]")


def test_names_of_a_backup_are_taken():
    assert [name_fault(name) for name in (places.SQLITE, places.ENV, "systemd-key/private.pem")] == ["", "", ""]


def test_a_newer_database_is_known_by_its_migrations():
    assert unknown_migrations(("jobs.0001_initial", "jobs.9999_later", "gone_app.0001_initial")) == ["jobs.9999_later"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path):
    target = tmp_path / "b.tar.gz"
    with replacing(target) as file:
        file.write(b"old")

    def fail() -> None:
        with replacing(target) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()

    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar.gz"]
    assert target.stat().st_mode & 0o777 == 0o600
