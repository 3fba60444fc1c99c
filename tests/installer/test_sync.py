"""A sync: what it installs, stops, removes and leaves alone, and how it makes good what a killed one left."""

import fcntl
import json
import os
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from installer.manifests import Manifest, new_id
from installer.status import HEARTBEAT, Stage, read_status
from installer.sync import Busy
from installer.units import HEADER_FILE, SERVICE
from tests.installer.host import NOW, TOKEN, Host, schedule, timer_of

LATER = NOW + timedelta(seconds=HEARTBEAT)
SOON = NOW + timedelta(seconds=15)
DAY = timedelta(days=1)


def edited(manifest: Manifest, **fields: object) -> Manifest:
    return msgspec.structs.replace(manifest, **fields)


def test_a_schedule_is_installed_enabled_and_started_after_one_reload(host: Host) -> None:
    manifests = [schedule(), schedule(every_seconds=60, first_at=NOW), schedule(once=True, first_at=NOW + DAY)]
    host.manifests.write(*manifests)

    status = host.sync().status

    assert {item.state for item in status.manifests.values()} == {Stage.INSTALLED}
    assert host.running() == {timer_of(manifest) for manifest in manifests}
    assert host.in_step()
    assert host.calls() == ["enable", "daemon-reload", "restart", "is-active", "list-timers"]
    assert status.manifests[manifests[0].id].next_elapse_at is not None


def test_an_unchanged_sync_writes_nothing_and_calls_nothing(host: Host) -> None:
    host.manifests.write(*(schedule(f"{minute} 9 * * *") for minute in range(50)))
    host.sync()
    before = host.written()
    host.calls()

    outcome = host.sync(SOON)

    assert not outcome.changed
    assert host.calls() == []
    assert host.written() == before


def test_now_and_then_it_gives_a_sign_of_life(host: Host) -> None:
    host.manifests.write(schedule())
    host.sync()
    host.calls()
    host.sync(LATER)

    status = read_status(host.data)
    assert status is not None
    assert status.last_sync_at == LATER
    assert not status.is_silent(LATER + timedelta(minutes=14))
    assert status.is_silent(LATER + timedelta(minutes=16))
    assert host.calls() == ["is-active", "list-timers"]


def test_an_edit_rewrites_one_timer(host: Host) -> None:
    first, second = schedule(), schedule()
    host.manifests.write(first, second)
    host.sync()
    host.manifests.write(schedule("1 1 * * *", id=first.id))

    plan = host.sync(SOON).plan

    assert plan.write == plan.enable == (timer_of(first),)
    assert plan.disable == plan.remove == ()
    assert "01:01:00" in (host.units / timer_of(first)).read_text()
    assert host.in_step()


def test_pause_and_resume_need_no_reload(host: Host) -> None:
    manifest = schedule()
    host.manifests.write(manifest)
    host.sync()
    host.calls()

    host.manifests.write(edited(manifest, enabled=False))
    assert host.sync(SOON).status.manifests[manifest.id].state is Stage.PAUSED
    assert host.calls() == ["stop", "disable", "list-timers"]
    assert (host.running(), host.installed()) == (set(), {timer_of(manifest)})

    host.manifests.write(manifest)
    host.sync(SOON)
    assert host.calls() == ["enable", "restart", "is-active", "list-timers"]
    assert host.running() == {timer_of(manifest)}


def test_what_is_deleted_is_stopped_and_removed(host: Host) -> None:
    gone, stays = schedule(), schedule()
    host.manifests.write(gone, stays)
    host.sync()
    host.calls()
    host.manifests.remove(gone.id)

    status = host.sync(SOON).status

    assert set(status.manifests) == {stays.id}
    assert host.installed() == host.running() == {timer_of(stays)}
    assert host.calls() == ["stop", "disable", "daemon-reload", "list-timers"]
    assert host.in_step()


def test_a_timer_runs_only_from_its_start_to_its_end(host: Host) -> None:
    manifest = schedule(first_at=NOW + DAY, end_at=NOW + 3 * DAY)
    host.manifests.write(manifest)
    seen = {}
    for days in (0, 1, 2, 4):
        outcome = host.sync(NOW + days * DAY)
        seen[days] = outcome.status.manifests[manifest.id].state, bool(host.running()), bool(outcome.again_at)

    assert seen == {
        0: (Stage.WAITING, False, True),
        1: (Stage.INSTALLED, True, True),
        2: (Stage.INSTALLED, True, True),
        4: (Stage.OVER, False, False),
    }
    assert host.installed() == set()


def test_a_listed_interval_is_renewed(host: Host) -> None:
    manifest = schedule(every_seconds=18_000, first_at=NOW)
    host.manifests.write(manifest)
    again_at = host.sync().again_at
    assert again_at is not None

    assert not host.sync(SOON).changed
    assert host.sync(again_at).plan.write == (timer_of(manifest),)
    assert host.in_step()


@pytest.mark.parametrize("kind", ["file", "link", "folder", "of another key"])
def test_a_unit_that_is_not_ours_is_left_alone(host: Host, kind: str) -> None:
    victim, other = schedule(), schedule()
    path, precious = host.units / timer_of(victim), host.root / "precious"
    precious.write_text("precious")
    if kind == "file":
        path.write_text("[Timer]\nOnCalendar=daily\n")
    elif kind == "link":
        path.symlink_to(precious)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text(f"# Made by pirunner's installer for the key {'0' * 32}. Edits are lost.\n")
    foreign = host.units / timer_of(schedule())
    foreign.write_text("[Timer]\n")
    before = path.lstat()
    host.manifests.write(victim, other)

    status = host.sync().status

    assert status.manifests[victim.id].reason == "foreign"
    assert (path.lstat().st_ino, precious.read_text()) == (before.st_ino, "precious")
    assert foreign.exists()
    assert host.running() == {timer_of(other)}


def test_another_pirunners_service_stops_everything(host: Host) -> None:
    host.manifests.write(schedule())
    (host.units / SERVICE).write_text("[Service]\nExecStart=/bin/true\n")

    assert "another pirunner" in host.sync().status.problem
    assert host.installed() == set()


def test_the_token_is_in_a_file_of_roots_and_nowhere_else(host: Host) -> None:
    host.manifests.write(schedule())
    host.sync()

    header = host.state / HEADER_FILE
    assert header.read_text() == f"x-installer-token: {TOKEN}\n"
    assert header.stat().st_mode & 0o777 == 0o600
    assert host.state.stat().st_mode & 0o777 == 0o700
    calls = host.bin / "calls"
    others = [*host.units.rglob("*"), *host.data.rglob("*"), host.state / "state.json", calls]
    assert not [file for file in others if file.is_file() and TOKEN.encode() in file.read_bytes()]


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (lambda host: (host.units).chmod(0o777), "nobody else"),
        (lambda host: host.state.chmod(0o755), "0700"),
        (lambda host: (host.units).rename(host.root / "away"), "cannot be opened"),
        (lambda host: (host.state / "state.json").write_text("{"), "Remove it"),
        (lambda host: host.wish(**{"no reload": True}), "Access denied"),
    ],
)
def test_what_is_wrong_with_the_machine_is_one_sentence(host: Host, fault, word: str) -> None:
    host.manifests.write(schedule())
    host.sync()
    host.manifests.write(schedule())
    fault(host)

    outcome = host.sync(SOON)

    assert word in outcome.status.problem
    told = read_status(host.data)
    assert told is not None
    assert told.problem == outcome.status.problem


def test_what_failed_once_is_done_the_next_time(host: Host) -> None:
    manifest = schedule()
    host.manifests.write(manifest)
    host.wish(**{"no reload": True})
    assert host.sync().status.problem
    host.wish()

    assert host.sync(SOON).status.problem == ""
    assert host.in_step()
    assert host.running() == {timer_of(manifest)}


@pytest.mark.parametrize("fault", ["dead", "bad"])
def test_a_timer_that_does_not_start_is_told_and_the_others_run(host: Host, fault: str) -> None:
    sick, well = schedule(), schedule()
    host.manifests.write(sick, well)
    host.wish(**{fault: [timer_of(sick)]})

    status = host.sync().status
    assert (status.manifests[sick.id].state, status.counters.failures) == (Stage.FAILED, 1)
    assert host.running() == {timer_of(well)}

    host.wish()
    assert host.sync(SOON).status.manifests[sick.id].state is Stage.INSTALLED
    assert host.in_step()


def test_what_somebody_stopped_by_hand_is_started_again(host: Host) -> None:
    manifest = schedule()
    host.manifests.write(manifest)
    host.sync()
    knows = host.knows() | {"running": {}, "enabled": {}}
    (host.bin / "knows.json").write_text(json.dumps(knows))

    assert not host.sync(SOON).changed
    assert host.sync(LATER).changed
    assert host.in_step()
    assert host.running() == {timer_of(manifest)}


def test_a_timer_that_somebody_edited_or_removed_is_put_right(host: Host) -> None:
    first, second = schedule(), schedule()
    host.manifests.write(first, second)
    host.sync()
    text = (host.units / timer_of(first)).read_text()
    (host.units / timer_of(first)).write_text(f"{text}OnCalendar=*:*:*\n")
    (host.units / timer_of(second)).unlink()

    host.sync(SOON)

    assert (host.units / timer_of(first)).read_text() == text
    assert host.installed() == host.running() == {timer_of(first), timer_of(second)}
    assert host.in_step()


def test_one_at_a_time(host: Host) -> None:
    host.manifests.write(schedule())
    host.sync()
    with (host.state / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Busy):
            host.sync()


def test_too_old_a_systemd_is_refused(host: Host) -> None:
    host.wish(version="systemd 247 (247.3-7)")
    with pytest.raises(Exception, match="250 or later"):
        host.syncer()


@pytest.mark.parametrize("link", ["manifests", "status"])
def test_no_link_leads_it_elsewhere(host: Host, link: str) -> None:
    host.manifests.write(schedule())
    elsewhere = host.root / "elsewhere"
    if link == "manifests":
        host.folder.rename(elsewhere)
        host.folder.symlink_to(elsewhere)
        assert host.sync().status.problem
        assert host.installed() == set()
    else:
        elsewhere.write_text("precious")
        (host.data / "systemd-status.json").symlink_to(elsewhere)
        host.sync()
        assert elsewhere.read_text() == "precious"
        assert read_status(host.data) is not None


# -- killed -------------------------------------------------------------------------------------------------------


def prepare(host: Host) -> set[str]:
    """Everything at once: one to write, one to edit, one to pause, one to remove; return the timers that should run."""
    made, edit, pause, gone = schedule(), schedule(), schedule(), schedule()
    host.manifests.write(edit, pause, gone)
    host.sync()
    host.manifests.remove(gone.id)
    host.manifests.write(made, schedule("1 1 * * *", id=edit.id), edited(pause, enabled=False))
    return {timer_of(made), timer_of(edit)}


def is_repaired(host: Host, running: set[str]) -> None:
    host.sync(NOW + timedelta(minutes=2))
    assert host.running() == running
    assert host.in_step()
    assert len(host.installed()) == 3
    assert not [file for file in [*host.units.iterdir(), *host.state.iterdir()] if "new-" in file.name]
    before = host.written()
    host.calls()
    assert not host.sync(NOW + timedelta(minutes=3)).changed
    assert (host.calls(), host.written()) == ([], before)


@pytest.mark.parametrize("step", range(10))
def test_a_sync_that_was_killed_before_any_step_is_made_good(host: Host, step: int) -> None:
    running = prepare(host)
    assert host.die_at(step)
    is_repaired(host, running)


def test_those_were_all_the_steps(host: Host) -> None:
    prepare(host)
    assert not host.die_at(10)


@pytest.mark.parametrize("when", ["kill before", "kill after"])
@pytest.mark.parametrize("verb", ["stop", "disable", "enable", "daemon-reload", "restart", "is-active"])
def test_a_sync_that_was_killed_within_a_call_is_made_good(host: Host, verb: str, when: str) -> None:
    running = prepare(host)
    host.wish(**{when: verb})
    assert host.die_at(1000)
    host.wish()
    is_repaired(host, running)


def test_a_change_that_is_taken_back_after_a_kill_is_taken_back(host: Host) -> None:
    manifest = schedule()
    host.manifests.write(manifest)
    host.sync()
    host.manifests.write(edited(manifest, enabled=False))
    host.wish(**{"kill after": "disable"})
    assert host.die_at(1000)
    host.wish()
    host.manifests.write(manifest)

    host.sync(NOW + timedelta(minutes=2))

    assert host.running() == {timer_of(manifest)}
    assert host.in_step()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
def test_manifests_of_another_user_than_the_data_folders_are_refused(host: Host) -> None:
    host.manifests.write(schedule())
    os.chown(host.folder, 65534, 65534)
    assert "owner" in host.sync().status.problem


def test_a_thousand_unchanged_manifests_take_less_than_a_second(host: Host) -> None:
    host.manifests.write(*(schedule(f"{n % 60} {n // 60} * * *", id=new_id()) for n in range(1000)))
    host.sync()
    host.calls()
    before = host.written()
    started = os.times().user + os.times().system
    host.sync(SOON)
    spent = os.times().user + os.times().system - started

    assert (host.calls(), host.written()) == ([], before)
    assert spent < 1.0
    assert Path(host.units / SERVICE).exists()
