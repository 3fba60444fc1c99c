"""``/admin/installer/``: what the installer of systemd's timers tells of itself, and what to do if it is silent."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from installer.status import Item, Stage, Status, read_status
from pirunner.installer_status import installer_state
from schedules.models import Schedule
from schedules.rules import Backend
from schedules.serializers import description_of

MOST_ROWS = 200
"""How many schedules the page shows; the command ``sync_systemd`` shows them all."""
COLOURS = {Stage.INSTALLED: "ok", Stage.REFUSED: "bad", Stage.FAILED: "bad", Stage.WAITING: "warn"}
_ORDER = (Stage.REFUSED, Stage.FAILED)


@dataclass(frozen=True, slots=True)
class Row:
    """One schedule and its timer; None stands for what one side knows and the other does not."""

    public_id: str
    schedule: Schedule | None
    item: Item | None

    @property
    def sentence(self) -> str:
        """When the schedule is due."""
        return description_of(self.schedule) if self.schedule else ""

    @property
    def colour(self) -> str:
        """The colour of the state."""
        return COLOURS.get(self.item.state, "off") if self.item else "pending"

    @property
    def needs_attention(self) -> bool:
        """Whether systemd does not ring for it although somebody wants it to."""
        return self.item is not None and self.item.state in _ORDER


def urls() -> list[URLPattern]:
    """Return the address of the page, for unfold's site."""
    return [path("installer/", admin.site.admin_view(installer_page), name="installer")]


def installer_page(request: HttpRequest) -> HttpResponse:
    """Show the last sync and each schedule's timer."""
    if not request.user.has_perm("schedules.view_schedule"):
        raise PermissionDenied
    status = read_status(settings.RUNNER_DATA_DIR)
    schedules = Schedule.objects.kept().filter(backend=Backend.SYSTEMD.value).order_by("name", "pk")[:MOST_ROWS]
    rows = rows_of(schedules, status)
    context = {
        **admin.site.each_context(request),
        "title": "Installer",
        "state": installer_state(status, wanted=bool(rows)),
        "status": status,
        "silent": status is not None and status.is_silent(timezone.now()),
        "rows": rows,
        "counts": counts_of(rows),
        "most": MOST_ROWS,
        "has_token": bool(settings.INSTALLER_TOKEN),
        "may_add": request.user.has_perm("schedules.add_schedule"),
    }
    return TemplateResponse(request, "admin/installer/page.html", context)


def rows_of(schedules: Iterable[Schedule], status: Status | None) -> list[Row]:
    """Return the schedules with their timers, what needs attention first."""
    known = dict(status.manifests) if status else {}
    rows = [Row(schedule.public_id, schedule, known.pop(schedule.public_id, None)) for schedule in schedules]
    if len(rows) < MOST_ROWS:  # else they may be those of schedules that are not shown
        rows += [Row(public_id, None, item) for public_id, item in sorted(known.items())][: MOST_ROWS - len(rows)]
    return sorted(rows, key=lambda row: not row.needs_attention)


def counts_of(rows: Iterable[Row]) -> list[tuple[str, str, int]]:
    """Return how many are in each state: its name, its colour, the number."""
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (str(row.item.state) if row.item else "not taken up", row.colour)
        counts[key] = counts.get(key, 0) + 1
    return [(name, colour, number) for (name, colour), number in counts.items()]
