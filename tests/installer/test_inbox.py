"""Hostile manifests: each is refused with its reason, nothing is written, and the others are still installed."""

import hashlib
import json
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from installer import keys, sealing
from installer.manifests import Manifests, new_id
from installer.schema import Manifest
from installer.status import Stage
from tests.installer.host import NOW, Host, schedule, timer_of

Attack = Callable[[Host, Manifest, Path], None]


def own_key(host: Host) -> Ed25519PrivateKey:
    return keys.signing_key(host.data)


def put(host: Host, path: Path, content: bytes, key: Ed25519PrivateKey | None = None) -> None:
    """Sign a manifest of any content, and have the index name it: what one could do who has the key."""
    document = sealing.seal(key or own_key(host), sealing.MANIFEST, content)
    path.write_bytes(document)
    index_path = host.folder / "index.json"
    index = json.loads(index_path.read_text())["signed"]
    index["live"][path.name.removesuffix(".json")][1] = hashlib.sha256(document).hexdigest()
    index_path.write_bytes(sealing.seal(own_key(host), sealing.INDEX, json.dumps(index).encode()))


def with_fields(manifest: Manifest, **fields: object) -> bytes:
    """What the writer would have written, but for some fields; a dot leads into ``when``."""
    content = json.loads(msgspec.json.encode(manifest)) | {"sequence": 2**52}
    for name, value in fields.items():
        outer, _, inner = name.partition("__")
        if inner:
            content[outer][inner] = value
        else:
            content[outer] = value
    return json.dumps(content).encode()


def changed_byte(_host: Host, _manifest: Manifest, path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b'"hours":[9]', b'"hours":[8]'))


def unsigned(_host: Host, manifest: Manifest, path: Path) -> None:
    path.write_bytes(msgspec.json.encode(manifest))


def other_key(host: Host, manifest: Manifest, path: Path) -> None:
    put(host, path, with_fields(manifest), Ed25519PrivateKey.generate())


def index_instead(host: Host, _manifest: Manifest, path: Path) -> None:
    shutil.copy(host.folder / "index.json", path)


def replayed(host: Host, manifest: Manifest, path: Path) -> None:
    old = path.read_bytes()
    host.manifests.write(msgspec.structs.replace(manifest, enabled=False))
    path.write_bytes(old)


def anothers(host: Host, _manifest: Manifest, path: Path) -> None:
    other = schedule("1 1 1 1 *")
    host.manifests.write(other)
    shutil.copy(host.manifests.path(other.id), path)
    host.manifests.remove(other.id)


def half_written(_host: Host, _manifest: Manifest, path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def link(_host: Host, _manifest: Manifest, path: Path) -> None:
    elsewhere = path.parent.parent / "elsewhere.json"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def link_to_a_secret(_host: Host, _manifest: Manifest, path: Path) -> None:
    path.unlink()
    path.symlink_to("/etc/shadow")


def fifo(_host: Host, _manifest: Manifest, path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def unix_socket(_host: Host, _manifest: Manifest, path: Path) -> None:
    path.unlink()
    before = Path.cwd()
    os.chdir(path.parent)  # the whole path may be longer than a socket's can be
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(before)


def folder(_host: Host, _manifest: Manifest, path: Path) -> None:
    path.unlink()
    path.mkdir()


def huge(_host: Host, _manifest: Manifest, path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(10 * 1024 * 1024)


def missing(_host: Host, _manifest: Manifest, path: Path) -> None:
    path.unlink()


def signed(**fields: object) -> Attack:
    def attack(host: Host, manifest: Manifest, path: Path) -> None:
        put(host, path, with_fields(manifest, **fields))

    return attack


def signed_text(text: str) -> Attack:
    def attack(host: Host, _manifest: Manifest, path: Path) -> None:
        put(host, path, text.encode())

    return attack


EVIL = "a/../../../cron.d/evil"
INTERVAL = {"kind": "interval", "seconds": 7, "anchor": "2026-01-01T00:00:00Z"}
ATTACKS: dict[str, tuple[Attack, str]] = {
    "a changed byte": (changed_byte, "bad_signature"),
    "no signature": (unsigned, "not_signed"),
    "signed with another key": (other_key, "bad_signature"),
    "an index in its place": (index_instead, "bad_signature"),
    "an old one": (replayed, "replayed"),
    "that of another schedule": (anothers, "other_id"),
    "half written": (half_written, "not_signed"),
    "a link": (link, "not_a_file"),
    "a link to a secret": (link_to_a_secret, "not_a_file"),
    "a FIFO": (fifo, "not_a_file"),
    "a socket": (unix_socket, "not_a_file"),
    "a folder": (folder, "not_a_file"),
    "ten megabytes": (huge, "too_large"),
    "no file": (missing, "missing"),
    "an id that leads elsewhere": (signed(id=EVIL), "invalid_manifest"),
    "another id": (signed(id=new_id()), "other_id"),
    "an unknown field": (signed(execStart="/bin/sh"), "invalid_manifest"),
    "an unknown field within": (signed(when__exec="/bin/sh"), "invalid_manifest"),
    "another version": (signed(version=2), "invalid_manifest"),
    "a minute too many": (signed(when__minutes=[60]), "invalid_manifest"),
    "no minute": (signed(when__minutes=[]), "invalid_manifest"),
    "a text for a minute": (signed(when__minutes=["0"]), "invalid_manifest"),
    "a zone with a line feed": (signed(when__zone="UTC\nExecStartPre=/bin/sh"), "invalid_manifest"),
    "a zone with a line feed at its end": (signed(when__zone="UTC\n"), "invalid_manifest"),
    "a zone with a carriage return": (signed(when__zone="UTC\rX"), "invalid_manifest"),
    "a zone with NUL": (signed(when__zone="UTC\0"), "invalid_manifest"),
    "a zone with a specifier": (signed(when__zone="%h"), "invalid_manifest"),
    "a zone with a backslash": (signed(when__zone="UTC\\"), "invalid_manifest"),
    "a zone that leads elsewhere": (signed(when__zone="../../etc/passwd"), "invalid_manifest"),
    "a zone that systemd does not know": (signed(when__zone="Europe/Atlantis"), "not_expressible"),
    "an id with a line feed": (signed(id=f"{new_id()}\n"), "invalid_manifest"),
    "a period that cannot be": (signed(when=INTERVAL), "not_expressible"),
    "a period of nothing": (signed(when=INTERVAL | {"seconds": 0}), "invalid_manifest"),
    "a period of ages": (signed(when=INTERVAL | {"seconds": 10**15}), "invalid_manifest"),
    "a time without an offset": (signed(created_at="2026-01-01T00:00:00"), "invalid_manifest"),
    "a year without end": (signed(when={"kind": "once", "at": "9999-12-31T23:59:59Z"}), "not_expressible"),
    "an end beyond the calendar": (
        signed(when=INTERVAL | {"seconds": 86_400 * 5}, end="9999-12-31T23:59:59.999999Z"),
        "not_expressible",
    ),
    "no JSON": (signed_text("{"), "invalid_manifest"),
    "a list": (signed_text("[]"), "invalid_manifest"),
    "deep JSON": (signed_text("[" * 30_000), "invalid_manifest"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_manifest_is_refused_and_the_others_are_installed(host: Host, name: str) -> None:
    attack, reason = ATTACKS[name]
    victim, other = schedule(), schedule("5 5 * * *")
    host.manifests.write(victim, other)
    attack(host, victim, host.manifests.path(victim.id))

    status = host.sync().status

    assert status.problem == ""
    assert (status.manifests[victim.id].state, status.manifests[victim.id].reason) == (Stage.REFUSED, reason)
    assert status.manifests[victim.id].message
    assert host.installed() == host.running() == {timer_of(other)}
    assert not (host.root / "cron.d").exists()


@pytest.mark.parametrize("name", ["a changed byte", "an old one", "a link", "ten megabytes", "no file"])
def test_a_schedule_that_was_installed_stays_as_it_was(host: Host, name: str) -> None:
    attack, reason = ATTACKS[name]
    victim = schedule()
    host.manifests.write(victim)
    host.sync()
    before = (host.units / timer_of(victim)).read_text()
    attack(host, victim, host.manifests.path(victim.id))

    status = host.sync().status

    assert status.manifests[victim.id].reason == reason
    assert (host.units / timer_of(victim)).read_text() == before
    assert host.running() == {timer_of(victim)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_another_user_is_refused(host: Host) -> None:
    victim = schedule()
    host.manifests.write(victim)
    os.chown(host.manifests.path(victim.id), 65534, 65534)

    assert host.sync().status.manifests[victim.id].reason == "wrong_owner"


def test_files_that_no_index_names_are_counted_and_not_opened(host: Host) -> None:
    host.manifests.write(schedule())
    for number in range(3000):
        (host.folder / f"junk-{number}").touch()
    os.mkfifo(host.folder / f"{new_id()}.json")
    (host.folder / os.fsdecode(b"\xff\x1b[2J")).touch()

    status = host.sync().status

    assert (status.stray_count, len(status.strays), status.problem) == (3002, 50, "")
    assert len(host.installed()) == 1


def test_a_signed_manifest_that_was_deleted_cannot_be_copied_back(host: Host) -> None:
    gone, stays = schedule(), schedule()
    host.manifests.write(gone, stays)
    document = host.manifests.path(gone.id).read_bytes()
    host.sync()
    host.manifests.remove(gone.id)
    host.manifests.path(gone.id).write_bytes(document)

    status = host.sync().status

    assert status.strays == (f"{gone.id}.json",)
    assert host.installed() == {timer_of(stays)}


def spoil_index(content: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        path.write_bytes(content)

    return spoil


def link_index(path: Path) -> None:
    path.rename(path.parent.parent / "index.json")
    path.symlink_to(path.parent.parent / "index.json")


@pytest.mark.parametrize(
    ("attack", "word"),
    [
        (Path.unlink, "no index"),
        (spoil_index(b""), "form"),
        (spoil_index(b'{"signed":{"sequence":9,"live":{}}}'), "form"),
        (spoil_index(b"\0" * 5 * 1024 * 1024), "bytes"),
        (link_index, "regular file"),
    ],
)
def test_without_an_index_to_believe_everything_stays_as_it_is(
    host: Host, attack: Callable[[Path], None], word: str
) -> None:
    manifest = schedule()
    host.manifests.write(manifest)
    host.sync()
    host.calls()
    attack(host.folder / "index.json")

    status = host.sync().status

    assert word in status.problem
    assert host.running() == host.installed() == {timer_of(manifest)}
    assert host.calls() == []


def test_an_old_folder_that_is_put_back_whole_is_refused(host: Host) -> None:
    first, second = schedule(), schedule()
    host.manifests.write(first)
    shutil.copytree(host.folder, host.root / "old")
    host.manifests.write(second)
    host.sync()
    shutil.rmtree(host.folder)
    shutil.copytree(host.root / "old", host.folder)

    assert "old one was put back" in host.sync().status.problem
    assert host.running() == {timer_of(first), timer_of(second)}


def test_another_key_is_trusted_only_when_the_owner_names_it(host: Host) -> None:
    manifest = schedule()
    host.manifests.write(manifest)
    host.sync()
    shutil.rmtree(host.folder)
    shutil.rmtree(host.data / keys.PRIVATE_FOLDER)
    other = schedule()
    Manifests(host.data).write(other)
    found = keys.fingerprint(own_key(host).public_key())

    assert "trusted key" in host.sync().status.problem
    assert "and not 123" in host.sync(trust="123").status.problem
    assert host.running() == {timer_of(manifest)}

    assert host.sync(trust=found).status.fingerprint == found
    # What was made for the key before is still ours, so it goes.
    assert host.running() == host.installed() == {timer_of(other)}
    assert host.sync(NOW).status.problem == ""
