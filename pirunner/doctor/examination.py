"""The whole examination, subject by subject. What a look raises is a finding, too."""

import importlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import django
from django.core.checks import CheckMessage

from pirunner.doctor import configuration, folders, machine, software
from pirunner.doctor.findings import Finding, ok, problem

Look = Callable[[], Iterable[Finding]]

BEFORE_DJANGO: tuple[tuple[str, Look], ...] = (
    ("software", software.look),
    ("configuration", configuration.look),
    ("folders", folders.look),
    ("machine", machine.look),
)
WITH_DJANGO = ("broker", "processes", "clocks")
"""Modules that can be imported only when the settings can be read."""


def examine() -> Iterator[Finding]:
    """Yield what is found, in order; raises nothing."""
    for subject, look in BEFORE_DJANGO:
        yield from guarded(subject, look)
    settings = list(guarded("settings", _settings))
    yield from settings
    if any(finding.mend for finding in settings):
        return
    for subject in WITH_DJANGO:
        yield from guarded(subject, _named(subject))
    database = list(guarded("database", _named("database")))
    yield from database
    if not any(finding.name in {"database", "connection", "migrations"} and finding.mend for finding in database):
        yield from guarded("work", _named("work"))  # to look without a database would make an empty one


def guarded(subject: str, look: Look) -> Iterator[Finding]:
    """Yield what a look finds; if it raises, that is the last of it."""
    try:
        for finding in look():
            yield replace(finding, subject=subject)
    except Exception as error:  # noqa: BLE001  (whatever it is, the owner must read it and not a traceback)
        first_line = str(error).strip().partition("\n")[0]
        yield replace(
            problem(subject, f"could not be looked at: {type(error).__name__}: {first_line}", _ADVICE), subject=subject
        )


_ADVICE = "Mend what is reported above first, and look again."


def _named(subject: str) -> Look:
    def look() -> Iterable[Finding]:
        found: Iterable[Finding] = importlib.import_module(f"pirunner.doctor.{subject}").look()
        return found

    return look


def _settings() -> Iterator[Finding]:
    """Read the settings as every process does, and run the checks of the apps."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pirunner.settings")
    try:
        django.setup()
    except Exception as error:  # noqa: BLE001  (a variable, a package, anything)
        mend = "Correct what is reported above; nothing that needs the settings was looked at."
        yield problem("settings", f"cannot be read: {str(error).strip().partition(chr(10))[0]}", mend)
        return
    faults = list(_checks())
    for fault in faults:
        yield replace(problem("check", fault.msg, fault.hint or "See docs/configuration.md."), mend=fault.hint or "-")
    if not faults:
        yield ok("settings", "can be read, and make sense")


def _checks() -> Iterator[CheckMessage]:
    """Run those of the apps' checks that `manage.py up` runs."""
    jobs = importlib.import_module("jobs.checks")
    webhooks = importlib.import_module("webhooks.checks")
    relay = importlib.import_module("webhooks.relay.checks")
    yield from jobs.check_runner_jobs()
    for check in (webhooks.check_allowed_hosts, webhooks.check_callback_url, webhooks.check_secret):
        yield from check()
    yield from relay.check_telegram()
    yield from relay.check_relay_secret()
