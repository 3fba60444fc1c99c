"""The sidebar: what is where, in groups. A page that does not exist, or that somebody may not see, has no link."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse


@dataclass(frozen=True, slots=True)
class Link:
    """One entry: the name of its address, its icon (of Material Symbols), and what its reader must be allowed to.

    ``permissions`` empty: everybody of the staff; several: any of them. ``query`` narrows a list.
    """

    title: str
    name: str
    icon: str
    permissions: tuple[str, ...] = ()
    query: str = ""


HOME = "admin:index"
SUBMIT = Link("Submit a job", "admin:jobs_job_submit", "add_circle", ("jobs.add_job",))

GROUPS: tuple[tuple[str, tuple[Link, ...]], ...] = (
    ("", (Link("Dashboard", HOME, "space_dashboard"),)),
    (
        "Jobs",
        (
            Link("All jobs", "admin:jobs_job_changelist", "checklist", ("jobs.view_job",)),
            SUBMIT,
        ),
    ),
    (
        "Schedules",
        (
            Link("Schedules", "admin:schedules_schedule_changelist", "event_repeat", ("schedules.view_schedule",)),
            Link("Occurrences", "admin:schedules_occurrence_changelist", "history", ("schedules.view_occurrence",)),
            Link("Tombstones", "admin:schedules_tombstone_changelist", "event_busy", ("schedules.view_tombstone",)),
        ),
    ),
    (
        "Callbacks",
        (
            Link("Deliveries", "admin:webhooks_delivery_changelist", "send", ("webhooks.view_delivery",)),
            Link(
                "Dead letters",
                "admin:webhooks_delivery_changelist",
                "unsubscribe",
                ("webhooks.view_delivery",),
                "?state=dead",
            ),
            Link("Endpoints", "admin:webhooks_endpoint_changelist", "key", ("webhooks.view_endpoint",)),
            Link("Messages", "admin:webhooks_notice_changelist", "chat", ("webhooks.view_notice",)),
        ),
    ),
    (
        "System",
        (
            Link("Installer", "admin:installer", "deployed_code", ("schedules.view_schedule",)),
            Link("Flower", "admin:flower", "local_florist", ("staff.view_flower",)),
            Link(
                "Task results",
                "admin:django_celery_results_taskresult_changelist",
                "receipt_long",
                ("django_celery_results.view_taskresult",),
            ),
            Link(
                "Periodic tasks",
                "admin:django_celery_beat_periodictask_changelist",
                "timer",
                ("django_celery_beat.view_periodictask",),
            ),
            Link(
                "Crontabs",
                "admin:django_celery_beat_crontabschedule_changelist",
                "calendar_month",
                ("django_celery_beat.view_crontabschedule",),
            ),
        ),
    ),
    (
        "People",
        (
            Link("Users", "admin:auth_user_changelist", "person", ("auth.view_user",)),
            Link("Groups", "admin:auth_group_changelist", "group", ("auth.view_group",)),
            Link("API tokens", "admin:tokens_token_changelist", "vpn_key", ("tokens.view_token",)),
            Link("Sign-ins", "admin:staff_signin_changelist", "login", ("staff.view_signin",)),
            Link("Audit", "admin:admin_logentry_changelist", "policy", ("admin.view_logentry",)),
            Link("Schedule audit", "admin:schedules_auditentry_changelist", "policy", ("schedules.view_auditentry",)),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the groups that this person may see something of, as unfold's sidebar takes them."""
    seen = [(title, [(link, address_of(link)) for link in links if may_see(request, link)]) for title, links in GROUPS]
    here = _here(request, [(link, address) for _, links in seen for link, address in links if address])
    groups = ((title, [_item(link, address, here) for link, address in links if address]) for title, links in seen)
    return [{"title": title, "separator": False, "items": items} for title, items in groups if items]


def may_see(request: HttpRequest, link: Link) -> bool:
    """Return whether the person of a request may follow a link."""
    return not link.permissions or any(request.user.has_perm(name) for name in link.permissions)


def address_of(link: Link) -> str | None:
    """Return where a link leads; None if there is no such page."""
    try:
        return reverse(link.name)
    except NoReverseMatch:
        return None


def _item(link: Link, address: str, here: Link | None) -> dict[str, Any]:
    return {"title": link.title, "icon": link.icon, "link": address + link.query, "active": link is here}


def _here(request: HttpRequest, links: list[tuple[Link, str]]) -> Link | None:
    """Return the link whose page is shown, or above it: the longest address, with its query rather than without."""
    above = [
        (len(address), len(link.query), link)
        for link, address in links
        if (request.path == address or (request.path.startswith(address) and link.name != HOME))
        and link.query.removeprefix("?") in request.META.get("QUERY_STRING", "")
    ]
    return max(above, key=lambda entry: entry[:2])[2] if above else None
