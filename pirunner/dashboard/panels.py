"""The panels of the front page: what each shows, who may see it, and how often it looks again. One line each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from pirunner.dashboard import (
    counters,
    dead_letters,
    failures,
    first_steps,
    health,
    machine,
    outage,
    processes,
    running,
    throughput,
    upcoming,
)
from pirunner.dashboard.look import Look
from pirunner.dashboard.seen import digest_of


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the page: its template is ``dashboard/<name>.html``.

    It looks again every so many ``seconds``. Who has none of the ``permissions`` does not see it; none named:
    everybody of the staff sees it. Those that are not framed draw their surface themselves.
    """

    name: str
    title: str
    show: Callable[[Look], dict[str, Any]]
    seconds: int
    permissions: tuple[str, ...] = ()
    is_framed: bool = True

    def render(self, request: HttpRequest, look: Look) -> "Rendered":
        """Return the panel as HTML."""
        context = {"panel": self, "look": look, **self.show(look)}
        inside = render_to_string(f"dashboard/{self.name}.html", context, request).strip()
        digest = digest_of(inside)
        frame = {"panel": self, "inside": inside, "digest": digest}
        return Rendered(digest, SafeString(render_to_string("dashboard/panel.html", frame, request)))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A panel as it was drawn; the same digest means that nothing has changed."""

    digest: str
    html: SafeString


_JOBS = ("jobs.view_job",)

PANELS: tuple[Panel, ...] = (
    Panel("health", "Health", health.show, 5, is_framed=False),
    Panel("first_steps", "First steps", first_steps.show, 5, _JOBS, is_framed=False),
    Panel("counters", "Jobs", counters.show, 5, _JOBS, is_framed=False),
    Panel("running", "Running now", running.show, 5, _JOBS),
    Panel("failures", "Latest failures", failures.show, 10, _JOBS),
    Panel("upcoming", "Coming next", upcoming.show, 15, ("schedules.view_schedule", "jobs.view_job")),
    Panel("throughput", "Throughput", throughput.show, 30, _JOBS),
    Panel("dead_letters", "Callbacks", dead_letters.show, 15, ("webhooks.view_delivery",)),
    Panel("processes", "Processes", processes.show, 10),
    Panel("machine", "Machine", machine.show, 30),
    Panel("outage", "Last outage", outage.show, 60),
)


def panels_for(look: Look) -> list[Panel]:
    """Return the panels that somebody may see, in order."""
    return [panel for panel in PANELS if look.may(*panel.permissions)]


def find_panel(name: str) -> Panel | None:
    """Return the panel of a name, or None."""
    return next((panel for panel in PANELS if panel.name == name), None)
