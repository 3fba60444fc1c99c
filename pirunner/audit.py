"""Who of the staff did what: Django's own log entries, with the words of people.

What agents and people do to a schedule is written beside it by ``schedules.audit``; everything else that a person
does in the admin is noted here.
"""

from enum import IntEnum

from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest

_LONGEST_NAME = 200


class Act(IntEnum):
    """What kind of act it was, as Django's log entries tell them apart."""

    MADE = ADDITION
    CHANGED = CHANGE
    REMOVED = DELETION


def note_act(request: HttpRequest, thing: Model, act: Act, said: str) -> None:
    """Write down, in the current transaction, that the person of this request did something to a row.

    ``said`` is one short sentence without a subject, like "cancelled" or "replayed 3 deliveries". Nothing secret
    belongs there.
    """
    LogEntry.objects.create(
        user_id=int(request.user.pk or 0),
        content_type=ContentType.objects.get_for_model(thing),
        object_id=str(thing.pk),
        object_repr=str(thing)[:_LONGEST_NAME],
        action_flag=act.value,
        change_message=said,
    )
