"""Manifests: written signed, atomically, in turns; what is removed is removed by a signature too."""

import json
import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from installer import keys
from installer.manifests import (
    Inexpressible,
    Manifests,
    Refusal,
    new_id,
    objections_to_schedule,
    when_of,
)
from tests.installer.host import NOW, schedule


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    return Manifests(tmp_path)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_written_can_be_read_and_is_in_the_index(manifests: Manifests) -> None:
    manifest = schedule("0 9 * * 1-5")
    manifests.write(manifest)

    found = manifests.read(manifest.id)
    assert found is not None
    assert (found.id, found.when, found.enabled) == (manifest.id, manifest.when, True)
    assert found.sequence == manifests.read_index().live[manifest.id].sequence > 0
    assert json.loads(manifests.path(manifest.id).read_text())["signed"]["when"]["hours"] == [9]


def test_the_private_key_is_its_owners_alone_and_the_public_one_is_beside_the_manifests(manifests: Manifests) -> None:
    before = os.umask(0)
    try:
        manifests.write(schedule())
    finally:
        os.umask(before)

    private = manifests.data_dir / keys.PRIVATE_FOLDER
    assert (mode(private), mode(private / keys.PRIVATE_FILE)) == (0o700, 0o600)
    assert b"PUBLIC KEY" in (manifests.folder / keys.PUBLIC_FILE).read_bytes()
    assert b"PRIVATE" not in b"".join(file.read_bytes() for file in manifests.folder.iterdir())


def test_the_key_stays_the_same(manifests: Manifests) -> None:
    first = keys.fingerprint(keys.signing_key(manifests.data_dir).public_key())
    assert keys.fingerprint(keys.signing_key(manifests.data_dir).public_key()) == first


def test_a_key_that_others_can_read_is_refused(manifests: Manifests) -> None:
    manifests.write(schedule())
    (manifests.data_dir / keys.PRIVATE_FOLDER).chmod(0o755)

    with pytest.raises(Refusal, match="chmod 700"):
        manifests.write(schedule())


def test_what_is_removed_is_gone_from_the_index(manifests: Manifests) -> None:
    gone, stays = schedule(), schedule()
    manifests.write(gone, stays)
    before = manifests.read_index().sequence
    manifests.remove(gone.id, new_id())

    index = manifests.read_index()
    assert (set(index.live), index.sequence > before) == ({stays.id}, True)
    assert not manifests.path(gone.id).exists()


def test_removing_what_is_not_there_writes_nothing(manifests: Manifests) -> None:
    manifests.write(schedule())
    before = manifests.read_index()
    manifests.remove(new_id())
    assert manifests.read_index() == before


def test_the_same_once_more_writes_nothing(manifests: Manifests) -> None:
    manifest = schedule()
    manifests.write(manifest)
    before = manifests.path(manifest.id).stat().st_ino, manifests.read_index()

    manifests.write(manifest)
    manifests.replace_all([manifest])

    assert (manifests.path(manifest.id).stat().st_ino, manifests.read_index()) == before


def test_replace_all_repairs_what_a_crash_left(manifests: Manifests) -> None:
    half, whole, extra = schedule(), schedule(), schedule()
    manifests.write(half, whole, extra)
    manifests.path(half.id).write_text("{")
    (manifests.folder / ".piar-new-0123").write_text("left by one that was killed")

    manifests.replace_all([half, whole])

    assert set(manifests.read_index().live) == {half.id, whole.id}
    assert manifests.read(half.id) is not None
    assert not list(manifests.folder.glob(".piar-new-*"))


def test_replace_all_begins_anew_where_the_index_is_spoilt(manifests: Manifests) -> None:
    manifest = schedule()
    manifests.write(manifest)
    before = manifests.read_index().sequence
    (manifests.folder / "index.json").write_text("{}")

    with pytest.raises(Refusal, match="signed"):
        manifests.write(schedule())
    manifests.replace_all([manifest])

    assert set(manifests.read_index().live) == {manifest.id}
    assert manifests.read_index().sequence > before


def test_an_index_that_a_backup_brought_back_is_overtaken(manifests: Manifests) -> None:
    manifests.write(schedule())
    old = (manifests.folder / "index.json").read_bytes()
    for _ in range(3):
        manifests.write(schedule())
    seen = manifests.read_index().sequence

    (manifests.folder / "index.json").write_bytes(old)
    manifests.write(schedule())

    assert manifests.read_index().sequence > seen


def test_writers_at_the_same_time_lose_nothing(manifests: Manifests) -> None:
    schedules = [schedule() for _ in range(24)]
    together = threading.Barrier(8)

    def write(number: int) -> None:
        together.wait()
        for manifest in schedules[number::8]:
            Manifests(manifests.data_dir).write(manifest)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))

    assert set(manifests.read_index().live) == {manifest.id for manifest in schedules}
    assert all(manifests.read(manifest.id) for manifest in schedules)


@pytest.mark.parametrize(
    "id_",
    [
        "a/../../../cron.d/evil",
        "../index",
        "",
        "sysd-",
        "sysd-3f2504e0-4f89-11d3-9a0c-0305e82c3301",  # version 1
        "sysd-3F2504E0-4F89-41D3-9A0C-0305E82C3301",
        "sysd-3f2504e0-4f89-41d3-9a0c-0305e82c3301\n",
        "sysd-3f2504e0-4f89-41d3-9a0c-0305e82c3301.json",
    ],
)
def test_only_an_id_names_a_file(manifests: Manifests, id_: str) -> None:
    with pytest.raises(Refusal, match="no id"):
        manifests.path(id_)
    with pytest.raises(Refusal):
        manifests.write(schedule(id=id_ or "?"))
    with pytest.raises(Refusal):
        manifests.remove(id_)
    assert [file.name for file in manifests.folder.glob("*.json")] == []


@pytest.mark.parametrize("zone", ["Europe/Berlin\nExecStartPre=x", "%h", "../etc", "Europe/Ber lin", "\\", "a" * 80])
def test_a_zone_is_a_name(zone: str) -> None:
    with pytest.raises(Inexpressible, match="zone"):
        when_of(zone=zone, cron="* * * * *")


@pytest.mark.parametrize(
    ("fields", "field", "word"),
    [
        ({"cron": "0 9 L * *"}, "cron", "L"),
        ({"cron": "0 9 * * MON#2"}, "cron", "MON#2"),
        ({"cron": "0 9 * * 5L"}, "cron", "5L"),
        ({"cron": "0 9 LW * *"}, "cron", "LW"),
        ({"cron": "5-5/15 * * * *"}, "cron", "5-5/15"),
        ({"cron": "61 * * * *"}, "cron", "61"),
        ({"every_seconds": 7, "first_at": NOW}, "everySeconds", "Take 6 or 8"),
        ({"every_seconds": 1000, "first_at": NOW}, "everySeconds", "Take 960 or 1080"),
        ({"every_seconds": 1.5, "first_at": NOW}, "everySeconds", "whole seconds"),
        ({"every_seconds": float("nan"), "first_at": NOW}, "everySeconds", "whole seconds"),
        ({"every_seconds": 0, "first_at": NOW}, "everySeconds", "whole seconds"),
        ({"first_at": NOW.replace(year=2250)}, "runAt", "2198"),
        ({"every_seconds": 60, "first_at": NOW.replace(year=1960)}, "runAt", "1970"),
        ({}, "runAt", "first time"),
    ],
)
def test_what_systemd_cannot_express_is_refused_with_its_reason(fields: dict[str, Any], field: str, word: str) -> None:
    objections = objections_to_schedule(zone="UTC", **fields)

    assert [objection.field for objection in objections] == [field]
    assert word in objections[0].message


@pytest.mark.parametrize("seconds", [1, 15, 27, 45, 60, 90, 300, 3600, 25_200, 86_400, 172_800, 1_209_600, 5 * 3600])
def test_a_period_that_people_choose_can_be_expressed(seconds: int) -> None:
    assert objections_to_schedule(zone="UTC", every_seconds=float(seconds), first_at=NOW) == ()


def test_every_fault_of_a_cron_is_told() -> None:
    assert len(objections_to_schedule(zone="UTC", cron="61 25 L * MON#2")) == 4
