"""Schedules whose timers are systemd's: their signed manifests, which the installer turns into units.

A manifest is written after the commit of what it tells of. Whatever keeps it from being written then, the clock
writes it later: ``manifest_version`` in the row tells which version is out.
"""

import logging
from datetime import datetime

from django.conf import settings
from django.db.models import F, Q

from installer.manifests import Manifest, Manifests, Refusal, manifest_of, objections_to_schedule
from pirunner.errors import Fault
from schedules.models import Schedule
from schedules.rules import Backend
from schedules.timing import Timing

log = logging.getLogger(__name__)

BATCH = 200
GONE = 2**31 - 1
"""The ``manifest_version`` of a deleted schedule whose manifest has been taken away."""


def objections_to(timing: Timing) -> list[Fault]:
    """Return why systemd's timers cannot express a timing; the paths start at the schedule."""
    objections = objections_to_schedule(
        zone=timing.zone.key, cron=timing.cron, every_seconds=timing.every_seconds, first_at=timing.first_at
    )
    return [Fault((objection.field,), objection.code, objection.message) for objection in objections]


def manifests() -> Manifests:
    """Return where the manifests are written."""
    return Manifests(settings.RUNNER_DATA_DIR)


def hand_over(schedule: Schedule) -> bool:
    """Write the manifest of a schedule as it is now, or take it away; return whether it is done.

    Call it after the commit. The clock does what could not be done.
    """
    if schedule.backend != Backend.SYSTEMD:
        return True
    try:
        _publish(schedule)
    except (OSError, Refusal) as error:
        log.warning("The manifest of %s is written later: %s", schedule, error)
        return False
    return True


def put_right(now: datetime) -> int:
    """Make the manifests those of the schedules, whatever a crash or a hand left of them; return how many there are.

    Only what differs is written. The clock does it when it starts.
    """
    del now
    schedules = list(Schedule.objects.kept().filter(backend=Backend.SYSTEMD.value))
    if not schedules and not manifests().folder.exists():
        return 0  # nobody here has to do with systemd
    try:
        manifests().replace_all([_manifest_of(schedule) for schedule in schedules])
    except (OSError, Refusal) as error:
        log.warning("The manifests could not be put right: %s", error)
        return 0
    for schedule in schedules:
        _note_version(schedule, schedule.version)
    return len(schedules)


def keep_up(now: datetime) -> int:
    """Write the manifests that are behind their schedules, at most ``BATCH``; return how many."""
    del now
    behind = Schedule.objects.filter(backend=Backend.SYSTEMD.value).filter(
        Q(deleted_at__isnull=True) & ~Q(manifest_version=F("version"))
        | Q(deleted_at__isnull=False) & ~Q(manifest_version=GONE)
    )
    return sum(hand_over(schedule) for schedule in behind[:BATCH])


def _publish(schedule: Schedule) -> None:
    if schedule.deleted_at is None:
        manifests().write(_manifest_of(schedule))
        _note_version(schedule, schedule.version)
    else:
        manifests().remove(schedule.public_id)
        _note_version(schedule, GONE)


def _manifest_of(schedule: Schedule) -> Manifest:
    return manifest_of(
        id=schedule.public_id,
        enabled=schedule.enabled,
        zone=schedule.zone,
        cron=schedule.cron,
        every_seconds=schedule.every_seconds,
        first_at=schedule.first_at,
        end_at=schedule.end_at,
        created_at=schedule.created_at,
        updated_at=schedule.updated_at,
    )


def _note_version(schedule: Schedule, out: int) -> None:
    """Note which version is out. Somebody may have changed the row meanwhile; then theirs is not."""
    Schedule.objects.filter(pk=schedule.pk, version=schedule.version).update(manifest_version=out)
    schedule.manifest_version = out
