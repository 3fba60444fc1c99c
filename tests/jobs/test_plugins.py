"""Job types of other installed packages."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from jobs import catalog, checks
from jobs.plugins import GROUP, Plugin, load
from pirunner.doctor import work
from tests.jobs.making import job_type
from tests.pirunner.command import run

GOOD = Plugin("extra", "extra-jobs 1.0", job_type("extra"))
BROKEN = Plugin("broken", "broken-jobs 2.0", fault="broken-jobs 2.0 cannot be loaded: ImportError: no such thing")
KIND = job_type("here")
NOT_A_TYPE = 5


@pytest.fixture(autouse=True)
def _plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("jobs.catalog", "jobs.checks", "pirunner.doctor.work", "jobs.management.commands.jobtypes"):
        monkeypatch.setattr(f"{module}.plugins", lambda: (GOOD, BROKEN))


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_every_fault_of_a_package_is_a_sentence() -> None:
    here = __name__
    found = load(
        [
            point("here", f"{here}:KIND"),
            point("other", f"{here}:KIND"),
            point("number", f"{here}:NOT_A_TYPE"),
            point("nothing", f"{here}:NOTHING"),
            point("gone", "no_such_package:KIND"),
        ]
    )

    faults = {plugin.name: plugin.fault for plugin in found}
    assert faults.pop("here") == ""
    assert {name: fault.split(": ")[0] for name, fault in faults.items()} == {
        "gone": "no_such_package:KIND cannot be loaded",
        "nothing": f"{here}:NOTHING cannot be loaded",
        "number": f"{here}:NOT_A_TYPE",
        "other": f"{here}:KIND",
    }


def test_of_two_with_one_name_the_second_is_a_fault() -> None:
    first, second = load([point("here", f"{__name__}:KIND"), point("here", f"{__name__}:KIND ")])

    assert first.job_type is KIND
    assert "registered already" in second.fault


def test_one_runs_only_if_it_is_named(owner: Any) -> None:
    assert "extra" in catalog.registered()
    assert catalog.find("extra") is None

    owner.RUNNER_JOBS = ("built-in", "extra")
    assert catalog.allowed().keys() == {kind.name for kind in catalog.JOB_TYPES} | {"extra"}

    owner.RUNNER_JOBS = ("extra",)
    assert list(catalog.allowed()) == ["extra"]


def test_a_built_in_type_cannot_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.catalog.plugins", lambda: (Plugin("ping", "bad 1", job_type("ping")),))

    assert catalog.find("ping") in catalog.JOB_TYPES


def test_a_broken_package_is_reported_and_everything_else_runs(owner: Any) -> None:
    owner.RUNNER_JOBS = ("built-in", "broken")

    assert "broken" not in catalog.allowed()
    assert checks.check_runner_jobs() == []
    (warning,) = checks.check_plugins()
    assert (warning.id, "no such thing" in warning.msg) == ("jobs.W001", True)
    (finding,) = work._broken_packages()
    assert finding.seen == BROKEN.fault


def test_the_command_tells_what_may_run_and_where_it_is_from() -> None:
    printed = run("jobtypes", "--json").json()

    by_name = {entry["name"]: entry for entry in printed["jobTypes"]}
    assert (by_name["ping"]["allowed"], by_name["ping"]["origin"]) == (True, "pirunner")
    assert (by_name["extra"]["allowed"], by_name["extra"]["origin"]) == (False, "extra-jobs 1.0")
    assert printed["jobTypes"][-1]["name"] == "extra"  # those that may not run come last
    assert printed["faults"] == [BROKEN.fault]
    assert "no such thing" in run("jobtypes").err
