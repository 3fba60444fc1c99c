"""Many submissions in one request: each is judged on its own, and all that are good share a transaction."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from django.db import OperationalError

from jobs.intake import intake
from jobs.services import Accepted, NewJob
from jobs.submissions import HEADER, Permit, Prepare, TargetCheck, permit_all, prepare_submission
from pirunner.api import check_kept
from pirunner.errors import ApiError, Fault, InvalidPayload
from webhooks.egress import EgressError
from webhooks.services import check_target

LARGEST_BATCH = 1000
RESOLVERS = 32
"""Callback hosts that are looked up at the same time: a name server that is silent takes a second for each."""


def batch_of(raw: Any, header: str | None) -> list[Any]:
    """Return the submissions of a batch; raises ``InvalidPayload`` when it is none."""
    if header is not None:
        message = f"{HEADER} is for a single job; in a batch each item has its own idempotencyKey."
        raise InvalidPayload([Fault((HEADER,), "not_allowed", message)])
    if not isinstance(raw, list):
        raise InvalidPayload([Fault((), "invalid_type", "Send an array of POST /jobs bodies.")])
    if not 1 <= len(raw) <= LARGEST_BATCH:
        code = "too_big" if raw else "too_small"
        raise InvalidPayload([Fault((), code, f"A batch takes 1 to {LARGEST_BATCH} jobs, not {len(raw)}.")])
    return raw


def submit_batch(
    items: Sequence[Any], *, owner: str, prepare: Prepare = prepare_submission, permit: Permit = permit_all
) -> list[Accepted | Exception]:
    """Accept what can be accepted; return for each item the answer, or the error that it would have met alone.

    When this returns, everything that is answered is on disk.
    """
    check = _checked_once(items)
    prepared = [_prepare(partial(prepare, owner=owner, check=check, permit=permit), item) for item in items]
    outcomes = iter(intake.submit_all([item for item in prepared if isinstance(item, NewJob)]))
    return [next(outcomes) if isinstance(item, NewJob) else item for item in prepared]


def _prepare(prepare: Callable[[Any], NewJob | Accepted], item: Any) -> NewJob | Accepted | Exception:
    try:
        check_kept(item)
        return prepare(item)
    except (ApiError, OperationalError) as error:
        return error


def _checked_once(items: Sequence[Any]) -> TargetCheck:
    """Return a check of callback URLs that has looked at each of the batch already: most go to the same few."""
    urls = [item.get("callbackUrl") for item in items if isinstance(item, dict)]
    distinct = {url for url in urls if isinstance(url, str)}
    with ThreadPoolExecutor(RESOLVERS, thread_name_prefix="resolver") as resolvers:
        verdicts = dict(zip(distinct, resolvers.map(_verdict, distinct), strict=True))

    def check(url: str) -> str | None:
        verdict = verdicts[url]
        if isinstance(verdict, EgressError):
            raise verdict
        return verdict

    return check


def _verdict(url: str) -> str | EgressError | None:
    try:
        return check_target(url)
    except EgressError as error:
        return error
