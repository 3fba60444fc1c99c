"""What a job remembers: checkpoints from one attempt to the next, kept values from one job to the next.

Checkpoints are written at once, and only by the run that holds the job: a run whose lease went to another one must
not write over it. What is kept is written in the transaction that completes the job, so that a failed attempt leaves
nothing behind.
"""

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from jobs.endings import Ending
from jobs.errors import DoNotRetry, RunLost
from jobs.models import Checkpoint, Job, KeptValue
from jobs.runs import Claim
from jobs.states import State
from pirunner.bulk import insert_many, unsynced

VALUE_LENGTH = 256 * 1024
"""Characters of JSON."""
KEY_LENGTH = 10_000
ENTRIES = 10_000
KEPT_FOR = timedelta(days=365)
"""How long a kept value stays that no job touches."""
BATCH = 500
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What no database keeps as text; a value is kept as JSON, which can say it."""


def save_checkpoint(claim: Claim, key: str, value: Any) -> None:
    """Write a checkpoint of a job, over an earlier one of the same key; raises ``RunLost`` for a run that is over.

    A power cut may take it back: all it costs then is that one thing is done again.
    """
    row = Checkpoint(job_id=claim.job_id, key=key, digest=digest_of(key), value=value)
    with unsynced(), transaction.atomic():
        hold(claim)
        insert_many([row], on_conflict="ON CONFLICT (job_id, digest) DO UPDATE SET value = excluded.value")


def load_checkpoints(job_id: int) -> dict[str, Any]:
    """Return the checkpoints of a job, in the order of their keys' first writing."""
    return dict(Checkpoint.objects.filter(job_id=job_id).order_by("pk").values_list("key", "value"))


def recall(claim: Claim, key: str) -> Any:
    """Return what an earlier job of the same type and owner kept under a key, None if there is nothing."""
    kept = KeptValue.objects.filter(owner=claim.owner, job_type=claim.job_type, digest=digest_of(key))
    return kept.values_list("value", flat=True).first()


def write_kept(endings: Sequence[Ending]) -> None:
    """Write what completed runs keep, in the transaction that ends them; a later ending's value counts."""
    rows = {
        (ending.claim.owner, ending.claim.job_type, key): KeptValue(
            owner=ending.claim.owner,
            job_type=ending.claim.job_type,
            key=key,
            digest=digest_of(key),
            value=value,
            updated_at=ending.at,
        )
        for ending in endings
        for key, value in ending.kept.items()
    }
    # In one order, so that two workers that end jobs with the same keys do not wait for each other in a circle.
    insert_many([rows[name] for name in sorted(rows)], on_conflict=_OVER_KEPT)


def forget_checkpoints(endings: Sequence[Ending]) -> None:
    """Remove the checkpoints of the jobs that completed; failed and cancelled ones may be retried and need them."""
    done = [
        ending.claim.job_id
        for ending in endings
        if ending.state is State.COMPLETED and (ending.checkpointed or ending.claim.run > 1)
    ]
    if done:
        Checkpoint.objects.filter(job_id__in=done).delete()


def prune_kept(now: datetime) -> int:
    """Remove a batch of the values that no job has touched for a year; return how many."""
    old = list(_untouched(now).values_list("pk", flat=True)[:BATCH])
    return KeptValue.objects.filter(pk__in=old).delete()[0] if old else 0


def hold(claim: Claim) -> None:
    """Lock the row of a job in the current transaction; raises ``RunLost`` unless this run still holds it."""
    rows = Job.objects.select_for_update().filter(pk=claim.job_id, token=claim.token)
    if not list(rows.values_list("pk", flat=True)):
        raise RunLost("This run no longer holds its job: its lease was over, and another worker may have taken it.")


def as_remembered(key: str, value: Any, *, beside: Collection[str] = ()) -> Any:
    """Return a value as it will be read back: what the handler does to it afterwards is not remembered.

    Raises ``TypeError`` or ``ValueError`` for what is no JSON, ``DoNotRetry`` for what is too much.
    """
    if not isinstance(key, str) or not 1 <= len(key) <= KEY_LENGTH or _UNSTORABLE.search(key):
        raise ValueError(f"A key is a text of 1 to {KEY_LENGTH} characters without NUL or half characters.")
    if len(beside) >= ENTRIES and key not in beside:
        raise DoNotRetry(f"A job may remember {ENTRIES} things.")
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    if len(text) > VALUE_LENGTH:
        raise DoNotRetry(
            f"What is remembered under {key[:80]!r} has {len(text)} characters; {VALUE_LENGTH} are allowed."
        )
    return json.loads(text)


def digest_of(key: str) -> str:
    """Return the SHA-256 of a key as hex."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _untouched(now: datetime) -> QuerySet[KeptValue]:
    return KeptValue.objects.filter(updated_at__lt=now - KEPT_FOR)


_OVER_KEPT = """
ON CONFLICT (owner, job_type, digest) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at
"""
