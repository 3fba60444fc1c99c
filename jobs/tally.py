"""The tally: how many jobs have ended in each final state, so that nobody has to count a million rows.

Whoever ends, retries or deletes jobs records it here in the same transaction, after the jobs' rows and before the
events: everybody takes these locks in that order, so that nobody waits in a circle.
"""

from collections.abc import Mapping

from django.db import connection, transaction
from django.db.models import Count, IntegerField, OuterRef, Subquery
from django.db.models.functions import Coalesce

from jobs.models import Job, Tally
from jobs.states import FINAL_STATES, State
from pirunner.turns import take_turns

# A row that is missing, as after a flush of all tables, counts from zero.
_RECORD = """
INSERT INTO jobs_tally (state, count) VALUES (%s, %s)
ON CONFLICT (state) DO UPDATE SET count = jobs_tally.count + excluded.count
"""


def record(changes: Mapping[State, int]) -> None:
    """Add to the tally how many jobs came to a final state (or left it, if negative), in the current transaction."""
    ended = sorted((state.value, count) for state, count in changes.items() if state in FINAL_STATES and count)
    if ended:
        with connection.cursor() as cursor:
            cursor.executemany(_RECORD, ended)


def ended_jobs() -> dict[State, int]:
    """Return how many jobs have ended, by final state."""
    counts = dict(Tally.objects.values_list("state", "count"))
    return {state: counts.get(state.value, 0) for state in State if state in FINAL_STATES}


def repair() -> dict[State, int]:
    """Count the rows, and put right what the tally has wrong; return by how much it was changed.

    Counting takes a moment, but no locks unless something is wrong.
    """
    if not _errors():
        return {}
    with transaction.atomic():
        take_turns("repair of the tally")
        errors = _errors()
        record(errors)
    return errors


def _errors() -> dict[State, int]:
    """Return what must be added to the tally of each state.

    One statement reads the tally and the rows, so that it sees them as of one moment whoever writes meanwhile.
    """
    missing = FINAL_STATES - {State(state) for state in Tally.objects.values_list("state", flat=True)}
    Tally.objects.bulk_create([Tally(state=state.value, count=0) for state in missing], ignore_conflicts=True)
    of_state = Job.objects.filter(state=OuterRef("state")).order_by().values("state")
    counted = Subquery(of_state.annotate(rows=Count("pk")).values("rows"), output_field=IntegerField())
    tallies = Tally.objects.annotate(rows=Coalesce(counted, 0))
    return {State(tally.state): tally.rows - tally.count for tally in tallies if tally.rows != tally.count}
