"""What to do first, while there is nothing yet."""

from typing import Any

from pirunner.dashboard.look import Look
from pirunner.dashboard.navigation import SUBMIT, address_of


def show(look: Look) -> dict[str, Any]:
    """Return whether no job has ever been accepted, as far as is known."""
    return {"is_empty": not any(look.states.values()), "submit_address": address_of(SUBMIT)}
