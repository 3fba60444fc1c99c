"""The roles of the staff: three of Django's groups, and what each may do, in one table."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.apps import AppConfig, apps
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db.models import Q


class Role(StrEnum):
    """A role, by the name of its group."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


MEANINGS = {
    Role.VIEWER: "sees jobs, schedules and callbacks, and changes nothing",
    Role.OPERATOR: "also submits, cancels, retries and deletes jobs, steers schedules, replays callbacks",
    Role.ADMIN: "everything, also people, tokens, endpoints and the audit",
}

_VIEWER = (
    *("jobs.view_job", "jobs.view_artifact", "jobs.view_logline"),
    *("schedules.view_schedule", "schedules.view_occurrence", "schedules.view_tombstone"),
    *("webhooks.view_delivery", "webhooks.view_deliveryattempt", "webhooks.view_notice"),
    *("django_celery_results.view_taskresult", "django_celery_beat.view_periodictask"),
    *("django_celery_beat.view_crontabschedule", "django_celery_beat.view_intervalschedule"),
    *("django_celery_beat.view_clockedschedule", "django_celery_beat.view_solarschedule"),
    "staff.view_flower",
)
_OPERATOR = (
    *_VIEWER,
    *("jobs.add_job", "jobs.change_job", "jobs.delete_job"),
    *("schedules.add_schedule", "schedules.change_schedule", "schedules.delete_schedule"),
    *("schedules.delete_tombstone", "webhooks.change_delivery"),
)
EVERYTHING = "*"

PERMISSIONS: Mapping[Role, tuple[str, ...]] = {
    Role.VIEWER: _VIEWER,
    # Not django-celery-beat's tasks: whoever adds one can have any task run with any arguments.
    Role.OPERATOR: _OPERATOR,
    Role.ADMIN: (EVERYTHING,),
}


def after_migration(sender: AppConfig, using: str, apps: Apps = apps, **_: Any) -> None:
    """Give each role what it may do in an app that has been migrated, and take away what it may not."""
    if not any(model._meta.label == "auth.Group" for model in apps.get_models()):  # noqa: SLF001  (documented)
        return  # migrated back to before there were groups
    # Django makes the permissions at the same signal, perhaps after us.
    create_permissions(sender, verbosity=0, using=using)
    for role in Role:
        keep_in_step(role, sender.label, using=using)


def keep_in_step(role: Role, app_label: str, *, using: str) -> None:
    """Let a role have in an app exactly the permissions of the table."""
    # By name, because this module is read while the apps are being loaded.
    group, _ = apps.get_model("auth", "Group").objects.using(using).get_or_create(name=role.value)
    all_of_app = apps.get_model("auth", "Permission").objects.using(using).filter(content_type__app_label=app_label)
    wanted = set(all_of_app.filter(_named_for(role, app_label)).values_list("pk", flat=True))
    held = set(group.permissions.filter(content_type__app_label=app_label).values_list("pk", flat=True))
    group.permissions.add(*wanted - held)
    group.permissions.remove(*held - wanted)


def may(role: Role, permission: str) -> bool:
    """Return whether the table gives a role a permission like ``jobs.view_job``."""
    return EVERYTHING in PERMISSIONS[role] or permission in PERMISSIONS[role]


def _named_for(role: Role, app_label: str) -> Q:
    if EVERYTHING in PERMISSIONS[role]:
        return Q()
    named = (permission.partition(".") for permission in PERMISSIONS[role])
    return Q(codename__in=[codename for label, _, codename in named if label == app_label])
