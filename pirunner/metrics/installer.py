"""The installer of systemd's timers, as far as it tells of itself."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from django.conf import settings
from prometheus_client.core import Metric

from installer.status import Stage, Status, read_status
from pirunner.installer_status import installer_state
from pirunner.metrics.families import counter, gauge, gauges
from schedules.selectors import has_systemd_schedules

STATES = ("ok", "silent", "absent", "unused")


def read(now: datetime) -> Iterator[Metric]:
    """Yield what the installer did last, and whether it is missed."""
    del now
    status = read_status(settings.RUNNER_DATA_DIR)
    state = installer_state(status, wanted=has_systemd_schedules())
    yield gauges(
        "pirunner_installer_state",
        "1 for the state of systemd's installer, 0 for the others.",
        ("state",),
        {(each,): int(each == state) for each in STATES},
    )
    if status is not None:
        yield from _account(status)


def _account(status: Status) -> Iterator[Metric]:
    yield gauge(
        "pirunner_installer_last_sync_timestamp_seconds",
        "When it last brought the timers in line, in seconds since 1970.",
        status.last_sync_at.timestamp(),
    )
    stages = Counter(item.state for item in status.manifests.values())
    yield gauges(
        "pirunner_installer_manifests",
        "Manifests of schedules, by what became of them.",
        ("state",),
        {(stage.value,): stages[stage] for stage in Stage},
    )
    yield gauge("pirunner_installer_strays", "Files that it found and that belong to no schedule.", status.stray_count)
    yield counter("pirunner_installer_failures", "What it tried and could not do.", status.counters.failures)
