"""One look at the instance: what several panels of a page want is read once."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone

from jobs.selectors import count_states, oldest_waiting_age
from pirunner import machine
from pirunner.health import examine
from pirunner.signs import Signs, all_signs
from webhooks.selectors import DeliveryFigures, delivery_figures


@dataclass
class Look:
    """What is seen at ``now`` by the person who looks; each part when it is first asked for."""

    user: User | AnonymousUser
    now: datetime = field(default_factory=timezone.now)

    def may(self, *permissions: str) -> bool:
        """Return whether the person has any of these permissions; none named: everybody of the staff has."""
        return not permissions or any(self.user.has_perm(name) for name in permissions)

    @cached_property
    def signs(self) -> Signs | None:
        """When each process last showed itself, by role and name; None while the broker does not answer."""
        return all_signs()

    @cached_property
    def health(self) -> dict[str, Any]:
        """What ``/health`` tells."""
        return examine(self.signs)

    @cached_property
    def machine(self) -> machine.Machine:
        """Heat, power, memory and disk."""
        return machine.look(Path(settings.RUNNER_DATA_DIR))

    @cached_property
    def states(self) -> dict[str, int]:
        """How many jobs are in each state."""
        return count_states()

    @cached_property
    def oldest_waiting(self) -> float | None:
        """For how many seconds the job that waits longest has been waiting."""
        return oldest_waiting_age(self.now)

    @cached_property
    def deliveries(self) -> DeliveryFigures:
        """How the callbacks do."""
        return delivery_figures(self.now)


def moment_of(seconds: float) -> datetime:
    """Return a moment that is given in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
