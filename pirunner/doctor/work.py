"""The work: what waits too long, schedules that cannot be read or are late, callbacks that were given up."""

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from installer.status import Stage, read_status
from jobs import canary, selectors
from jobs.catalog import allowed
from jobs.models import Job
from jobs.plugins import plugins
from pirunner.doctor.findings import Finding, ok, problem, warning
from pirunner.health import LATE_SECONDS, LATEST_FIRES
from pirunner.installer_status import installer_state
from pirunner.wording import span
from schedules.models import Schedule
from schedules.selectors import has_systemd_schedules, lateness
from schedules.timing import is_readable
from webhooks.models import Event
from webhooks.selectors import delivery_figures

LONG_WAIT = 600.0
MOST_SCHEDULES = 10_000
AHEAD = timedelta(seconds=60)


def look() -> Iterator[Finding]:
    """Look at jobs, schedules and callbacks."""
    yield _from_the_future()
    yield _queue()
    yield from _unknown_types()
    yield from _broken_packages()
    yield _canary()
    yield _schedules()
    yield _lateness()
    yield _deliveries()
    yield _installer()


def _from_the_future() -> Finding:
    """Look for rows from the future: the clock was ahead when they were written, or it was set back since."""
    now = timezone.now()
    newest = [
        Job.objects.order_by("-pk").values_list("created_at", flat=True).first(),
        Event.objects.order_by("-seq").values_list("at", flat=True).first(),
    ]
    ahead = max((moment - now for moment in newest if moment), default=timedelta())
    if ahead > AHEAD:
        mend = "Check the time of day; what was due in between fires once the clock has passed it again."
        return warning("time of day", f"the newest rows are {span(ahead.total_seconds())} from the future", mend)
    return ok("time of day", "no row is from the future")


def _queue() -> Finding:
    counts = selectors.count_states()
    age = selectors.oldest_waiting_age(timezone.now())
    seen = f"{counts['waiting']} waiting, {counts['active']} active, {counts['delayed']} for later"
    if age is not None and age > LONG_WAIT:
        mend = "Raise WORKER_CONCURRENCY or add a worker; if none is active, look at the processes."
        return warning("queue", f"{seen}; one has waited for {span(age)}", mend)
    return ok("queue", seen)


def _unknown_types() -> Iterator[Finding]:
    open_jobs = Job.objects.filter(state__in=("waiting", "delayed")).order_by()
    unknown = sorted(set(open_jobs.values_list("job_type", flat=True).distinct()) - set(allowed()))
    if unknown:
        mend = "Allow them again in RUNNER_JOBS, install their package, or cancel the jobs."
        yield warning("job types", f"jobs wait for types that do not run here: {', '.join(unknown[:5])}", mend)


def _broken_packages() -> Iterator[Finding]:
    for plugin in plugins():
        if plugin.fault:
            yield warning("job types", plugin.fault, "Mend or uninstall the package; pirunner runs without it.")


def _canary() -> Finding:
    now = timezone.now()
    age = canary.age(now)
    if canary.is_silent(now):
        return problem("canary", f"no worker has answered for {span(age)}", "Restart pirunner; its log says more.")
    return ok("canary", "not asked yet" if age is None else f"a worker answered {span(age)} ago")


def _schedules() -> Finding:
    rows = list(Schedule.objects.kept().order_by("pk")[:MOST_SCHEDULES])
    unreadable = [schedule for schedule in rows if not is_readable(schedule)]
    if unreadable:
        mend = "Look at each with manage.py schedules show, and edit or delete it; it fires nothing as it is."
        return problem("schedules", f"cannot be read: {', '.join(map(str, unreadable[:5]))}", mend)
    return ok("schedules", f"{len(rows)}, {sum(schedule.enabled for schedule in rows)} of them enabled")


def _lateness() -> Finding:
    late = lateness(LATEST_FIRES)
    if not late:
        return ok("lateness", "nothing has fired lately")
    most = late[len(late) * 99 // 100]
    if most > LATE_SECONDS:
        mend = "The machine or its disk is too busy at the due times; spread them with jitterSeconds."
        return warning("lateness", f"due times fire up to {span(most)} late", mend)
    return ok("lateness", f"due times fire within {span(most)}")


def _deliveries() -> Finding:
    figures = delivery_figures(timezone.now())
    seen = f"{figures.pending} pending, {figures.dead} dead, {figures.failing_hosts} hosts that fail"
    if figures.dead:
        mend = "When the receivers are well: manage.py deliveries replay --state dead."
        return warning("callbacks", seen, mend)
    return ok("callbacks", seen)


def _installer() -> Finding:
    wanted = has_systemd_schedules()
    status = read_status(settings.RUNNER_DATA_DIR) if wanted else None
    state = installer_state(status, wanted=wanted)
    mend = "Run the installer on this machine as root: manage.py sync_systemd --watch --apply."
    if state in {"absent", "silent"}:
        return warning("installer", f"{state}: nobody keeps systemd's timers; the clock fires instead", mend)
    bad = [name for name, item in (status.manifests if status else {}).items() if item.state in _BAD]
    if status and (status.problem or bad):
        seen = status.problem or f"did not take {', '.join(bad[:3])}"
        return warning("installer", seen, "GET /installer/status has the reasons.")
    return ok("installer", state)


_BAD = frozenset({Stage.REFUSED, Stage.FAILED})
