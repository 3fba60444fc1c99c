"""ETags of schedules (RFC 9110 §8.8.3): the number of the version."""

from rest_framework.request import Request

from schedules.models import Schedule
from schedules.services import PreconditionFailed


def etag_of(schedule: Schedule) -> str:
    """Return the ETag of a schedule as it is."""
    return f'"{schedule.version}"'


def version_wanted(request: Request, schedule: Schedule | None) -> int | None:
    """Return the version that ``If-Match`` asks for; None if the client does not mind.

    ``schedule`` is None where there is none, which fits no ``If-Match`` at all. Raises ``PreconditionFailed`` if it
    asks for none that the schedule has now.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None:
        return None
    if schedule is None:
        raise PreconditionFailed("There is no such schedule; without If-Match it would be made.")
    if wanted.strip() == "*":
        return None
    if etag_of(schedule) not in [tag.strip() for tag in wanted.split(",")]:
        raise PreconditionFailed(
            f"The schedule is not as you read it: its ETag is {etag_of(schedule)} now. Read it again, then send this."
        )
    return schedule.version
