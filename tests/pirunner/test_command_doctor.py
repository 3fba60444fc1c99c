"""``manage.py doctor``: each subject by itself, and the whole when half of it is broken."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from pirunner.doctor import broker, configuration, database, folders, machine, processes, software, work
from pirunner.doctor.examination import guarded
from pirunner.doctor.findings import Finding, Level, exit_code, ok, problem, warning
from pirunner.doctor.report import document, lines
from pirunner.machine import THROTTLED
from schedules.models import Schedule
from tests.jobs.making import waiting
from tests.schedules.making import cron, make
from tests.stack import PRIVATE, ROOT, free_port
from webhooks.models import Delivery

SECRETS = ("RUNNER_API_TOKEN", "WEBHOOK_SECRET", "INSTALLER_TOKEN", "SECRET_KEY", "ADMIN_PASSWORD", "FLOWER_PASSWORD")


def graves(findings: list[Finding]) -> dict[str, Level]:
    return {finding.name: finding.level for finding in findings}


# -- what is found ------------------------------------------------------------------------------------------------


def test_the_exit_code_is_that_of_the_gravest():
    fine, odd, broken = ok("a", "fine"), warning("b", "odd", "do"), problem("c", "broken", "mend")

    assert [exit_code(each) for each in ([], [fine], [fine, odd], [broken, odd])] == [0, 0, 1, 2]
    assert document([fine, broken])["ok"] is False
    told = lines([fine, odd, broken], width=80, paint=str)
    assert told[-1] == "1 problem, 1 warning, 1 ok."
    assert any(line.strip() == "-> mend" for line in told)


def test_a_look_that_raises_is_a_finding():
    def look() -> list[Finding]:
        raise RuntimeError("no tea\nand more")

    (found,) = guarded("kitchen", look)

    assert (found.subject, found.level) == ("kitchen", Level.PROBLEM)
    assert found.seen == "could not be looked at: RuntimeError: no tea"


# -- subjects -----------------------------------------------------------------------------------------------------


def test_packages_are_compared_with_the_lock():
    assert software.packages("django>=5\n# a comment\n", "lock").level is Level.OK
    assert software.packages("django==1.0\n", "lock").level is Level.WARNING
    assert software.packages("no-such-package-here==1.0\n", "lock").level is Level.PROBLEM
    assert software.packages('no-such-package-here==1 ; sys_platform == "win32"\n', "lock").level is Level.OK


def test_a_misspelt_variable_is_noticed():
    (found,) = configuration.misspelt("WORKER_CONCURENCY=3\nMY_OWN=1\nPORT=1\nWEBHOOK_SECRET_FILE=x\n")

    assert "Did you mean WORKER_CONCURRENCY?" in found.mend


def test_an_env_file_that_others_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ENV_FILE", str(tmp_path / "env"))
    (tmp_path / "env").write_text("")
    (tmp_path / "env").chmod(0o644)

    found = {finding.name: finding for finding in configuration.look()}

    assert found[".env"].level is Level.PROBLEM
    assert found[".env"].mend.startswith("chmod 600")


def test_every_variable_that_cannot_be_used_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "many")
    monkeypatch.setenv("TZ", "Mars/Base")

    assert [finding.seen.split()[0] for finding in configuration.variables()] == ["PORT", "TZ"]


@pytest.mark.parametrize(
    ("kind", "level"), [("ext4", Level.OK), ("nfs4", Level.PROBLEM), ("vfat", Level.PROBLEM), ("tmpfs", Level.WARNING)]
)
def test_file_systems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: Level):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a / ext4 rw\nb {tmp_path} {kind} rw\nc /elsewhere nfs rw\n")

    assert folders.file_system_of(tmp_path / "data", mounts) == kind
    monkeypatch.setattr(folders, "file_system_of", lambda *_: kind)
    assert folders._file_system(tmp_path).level is level


def test_an_unfinished_backup_is_noticed(tmp_path: Path):
    for name in (".backup-old", ".restore-old", ".backup-new", "artifacts"):
        (tmp_path / name).mkdir()
        if name.endswith("old"):
            os.utime(tmp_path / name, (time.time() - 7200,) * 2)

    assert [finding.seen.split()[0] for finding in folders.leftovers(tmp_path)] == [".backup-old", ".restore-old"]


def test_a_damaged_database_is_a_problem(tmp_path: Path):
    path = tmp_path / "damaged.sqlite3"
    path.write_bytes(b"no database at all" * 100)

    assert [finding.level for finding in database.sqlite_file(path)] == [Level.PROBLEM]


def test_a_sound_database_in_another_journal_mode(tmp_path: Path):
    path = tmp_path / "sound.sqlite3"
    made = sqlite3.connect(path)
    made.execute("CREATE TABLE t (a)")
    made.close()

    assert graves(list(database.sqlite_file(path))) == {
        "journal": Level.WARNING,
        "integrity": Level.OK,
        "write-ahead log": Level.OK,
    }


@pytest.mark.django_db
def test_migrations_are_all_applied():
    assert database.migrations().level is Level.OK


def test_what_redis_tells_of_itself():
    fine = {"redis_version": "7.2.4", "used_memory": 10, "maxmemory": 100}

    assert graves(list(broker.about(fine, "noeviction"))) == {"broker memory": Level.OK}
    assert graves(list(broker.about(fine, "allkeys-lru"))) == {"broker memory": Level.WARNING}
    assert graves(list(broker.about({**fine, "used_memory": 95}, "noeviction"))) == {"broker memory": Level.WARNING}
    assert "broker version" in graves(list(broker.about({**fine, "redis_version": "5.0"}, "noeviction")))


def test_the_parts_of_health():
    told = {
        "ok": False,
        "service": "api",
        "broker": {"state": "down"},
        "disk": {"state": "ok"},
        "relay": {"state": "silent"},
    }

    assert graves(list(processes.parts(told))) == {"API": Level.OK, "/health broker": Level.PROBLEM}


@pytest.mark.parametrize(
    ("degrees", "flags", "heat", "power"),
    [
        ("54000", "0x0", Level.OK, Level.OK),
        ("78000", "0x50000", Level.WARNING, Level.WARNING),
        ("85000", "0x50005", Level.PROBLEM, Level.PROBLEM),
    ],
)
def test_a_pi_tells_of_heat_and_power(tmp_path: Path, degrees: str, flags: str, heat: Level, power: Level):
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text(f"{degrees}\n")
    (tmp_path / THROTTLED).parent.mkdir(parents=True)
    (tmp_path / THROTTLED).write_text(f"{flags}\n")

    assert graves(list(machine.look(tmp_path))) == {"temperature": heat, "power": power}


@pytest.mark.usefixtures("committed_db")
def test_the_work_is_looked_at():
    assert exit_code(list(work.look())) == 0

    waiting(since=timezone.now() - timedelta(hours=1))
    Schedule.objects.filter(pk=make(cron("0 9 * * *"), name="odd").pk).update(zone="Mars/Base")
    Delivery.objects.create(
        event_id="evt_1", job_id=1, event="job.completed", url="u", body="{}", state="dead", created_at=timezone.now()
    )

    assert {name: level for name, level in graves(list(work.look())).items() if level is not Level.OK} == {
        "queue": Level.WARNING,
        "job types": Level.WARNING,
        "schedules": Level.PROBLEM,
        "callbacks": Level.WARNING,
    }


# -- the whole ----------------------------------------------------------------------------------------------------


def doctor(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name not in PRIVATE}
    ours = {
        "ENV_FILE": str(folder / "env"),
        "RUNNER_DATA_DIR": str(folder / "data"),
        "PORT": str(free_port()),
        "CALLBACK_PORT": str(free_port()),
    }
    return subprocess.run(
        [sys.executable, "manage.py", "doctor", *arguments],
        cwd=ROOT,
        env=inherited | ours | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_it_speaks_when_half_is_broken_and_tells_no_secret(tmp_path: Path):
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "env").write_text("".join(f"{name}=hush-{name}\n" for name in SECRETS))
    (tmp_path / "env").chmod(0o600)

    ran = doctor(
        tmp_path,
        "--json",
        DATABASE_URL="postgres://ana:hush-password@127.0.0.1:9/none",
        REDIS_URL="redis://:hush-redis@127.0.0.1:9/0",
    )

    found = {(each["subject"], each["name"]): each["level"] for each in json.loads(ran.stdout)["findings"]}
    assert (ran.returncode, ran.stderr) == (2, "")
    assert found["database", "connection"] == "problem"
    assert found["broker", "broker"] == "problem"
    assert found["configuration", "secrets"] == "ok"
    assert "hush" not in ran.stdout


def test_it_speaks_when_there_is_nothing_at_all(tmp_path: Path):
    (tmp_path / "data").mkdir()

    ran = doctor(tmp_path, PORT="many")

    assert (ran.returncode, ran.stderr) == (2, "")
    assert "PORT must be a whole number" in ran.stdout
    assert list((tmp_path / "data").iterdir()) == []


def test_it_makes_no_database(tmp_path: Path):
    (tmp_path / "data").mkdir(mode=0o700)

    ran = doctor(tmp_path, DEVELOPMENT="on", SECRET_KEY="development only", WEBHOOK_SECRET="for a test")

    assert "manage.py restore FILE" in ran.stdout
    assert "Traceback" not in ran.stdout + ran.stderr
    assert list((tmp_path / "data").iterdir()) == []
