"""What a person can do to jobs: cancel, retry, delete; what that means for each, and doing it by the API's services."""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum
from django.http import HttpRequest

from jobs.admin.filters import Wanted
from jobs.listing import jobs_below
from jobs.models import Artifact, Job
from jobs.selectors import CONTENTS
from jobs.states import State
from jobs.steering import JobActive, JobEnded, JobNotEnded, cancel_job, delete_job, retry_job
from pirunner.admin_pages import person_of
from pirunner.audit import Act as Noted
from pirunner.audit import note_act
from pirunner.errors import ApiError, NotFound
from pirunner.wording import counted

MOST = 1000
"""How many jobs are acted on at once."""
_TOGETHER = 500
"""How many ids one statement names."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What an act does to the jobs in a state, in words that follow "3 jobs"; or why it leaves them as they are."""

    words: str
    happens: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing to do to jobs."""

    name: str
    verb: str
    done: str
    icon: str
    permission: str
    noted: Noted
    do: Callable[[int, str], Any]
    fates: Mapping[State, Fate]
    promise: str

    @property
    def kind(self) -> str:
        """How its button looks."""
        return "danger" if self.name == "delete" else ""

    def fate_of(self, job: Job) -> Fate:
        """Return what becomes of a job."""
        state = State(job.state)
        if self.name == "cancel" and state == State.ACTIVE and job.cancel_requested_at is not None:
            return _ASKED
        return self.fates[state]


_ASKED = Fate("asked to stop already", happens=False)
_ENDED = Fate("ended already", happens=False)
_NOT_ENDED = Fate("not ended yet", happens=False)
_REFUSED: tuple[tuple[type[ApiError], str], ...] = (
    (NotFound, "gone by then"),
    (JobActive, "running by then"),
    (JobEnded, "ended by then"),
    (JobNotEnded, "not ended any more"),
)

ACTS: Mapping[str, Act] = {
    "cancel": Act(
        name="cancel",
        verb="Cancel",
        done="cancelled",
        icon="block",
        permission="jobs.change_job",
        noted=Noted.CHANGED,
        do=lambda job_id, by: cancel_job(job_id, by=by),
        fates={
            State.DELAYED: Fate("due later: cancelled at once"),
            State.WAITING: Fate("waiting: cancelled at once"),
            State.ACTIVE: Fate("running: the worker is asked to stop, and ends it within 10 seconds"),
            State.COMPLETED: _ENDED,
            State.FAILED: _ENDED,
            State.CANCELLED: _ENDED,
        },
        promise="A cancelled job keeps its page, its log and its attempts, and can be retried.",
    ),
    "retry": Act(
        name="retry",
        verb="Retry",
        done="queued again",
        icon="replay",
        permission="jobs.change_job",
        noted=Noted.CHANGED,
        do=lambda job_id, by: retry_job(job_id, by=by),
        fates={
            State.DELAYED: _NOT_ENDED,
            State.WAITING: _NOT_ENDED,
            State.ACTIVE: _NOT_ENDED,
            State.COMPLETED: Fate("completed: run once more, its result is replaced"),
            State.FAILED: Fate("failed: run again from the first attempt"),
            State.CANCELLED: Fate("cancelled: run again from the first attempt"),
        },
        promise="Earlier attempts and their files stay in the history. Each callback is sent anew when it ends.",
    ),
    "delete": Act(
        name="delete",
        verb="Delete",
        done="deleted",
        icon="delete",
        permission="jobs.delete_job",
        noted=Noted.REMOVED,
        do=lambda job_id, _by: delete_job(job_id),
        fates={
            State.DELAYED: Fate("due later: deleted, never run"),
            State.WAITING: Fate("waiting: deleted, never run"),
            State.ACTIVE: Fate("running: cancel it first", happens=False),
            State.COMPLETED: Fate("completed: deleted"),
            State.FAILED: Fate("failed: deleted"),
            State.CANCELLED: Fate("cancelled: deleted"),
        },
        promise="Their input, result, log, attempts and files go for good. Callbacks that are still owed are sent.",
    ),
}


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What an act would do to chosen jobs; ``more`` says that more were meant than are taken at once."""

    act: Act
    jobs: Sequence[Job]
    groups: Sequence[tuple[Fate, int]]
    files: int = 0
    file_bytes: int = 0
    more: bool = False

    @property
    def count(self) -> int:
        """How many jobs it would happen to."""
        return sum(count for fate, count in self.groups if fate.happens)

    @property
    def ids(self) -> str:
        """The numbers of all the jobs, as the form of the page carries them."""
        return ",".join(str(job.pk) for job in self.jobs)


@dataclass(slots=True)
class Outcome:
    """What an act has done: to which jobs, and why not to the others."""

    act: Act
    done: list[Job] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)

    @property
    def sentence(self) -> str:
        """Both in one sentence."""
        told = f"{counted(len(self.done), 'job')} {self.act.done}."
        if not self.left:
            return told
        reasons = ", ".join(f"{count} {words}" for words, count in self.left.items())
        return f"{told} Left as they were: {reasons}."


def acts_allowed(request: HttpRequest) -> list[Act]:
    """Return what the person of a request may do to jobs."""
    return [act for act in ACTS.values() if request.user.has_perm(act.permission)]


def ids_of(text: str) -> list[int]:
    """Return the numbers in a list of ids, without what is none; one more than may be acted on, at most."""
    ids = (part.strip() for part in text.split(","))
    numbers = [int(part) for part in ids if part.isascii() and part.isdigit() and len(part) <= 18]
    return list(dict.fromkeys(numbers))[: MOST + 1]


def ids_that_match(wanted: Wanted, now: Any) -> list[int]:
    """Return the numbers of the newest jobs of a filter, one more than may be acted on at most."""
    narrowed = wanted.filter(now)
    rows = jobs_below(narrowed).values_list("pk", "created_at")[: MOST + 1]
    return [number for number, created_at in rows if narrowed.since is None or created_at >= narrowed.since]


def foresee(act: Act, ids: Sequence[int]) -> Foreseen:
    """Return what an act would do to the jobs of these numbers."""
    jobs = list(_jobs_of(ids[:MOST]))
    counts = Counter(act.fate_of(job) for job in jobs)
    groups = sorted(counts.items(), key=lambda group: (not group[0].happens, -group[1]))
    files, file_bytes = _files_of([job.pk for job in jobs]) if act.name == "delete" else (0, 0)
    return Foreseen(act, jobs, groups, files, file_bytes, more=len(ids) > MOST)


def perform(request: HttpRequest, act: Act, ids: Sequence[int]) -> Outcome:
    """Do it to each job that it can be done to, and note each; what cannot be is counted by its reason."""
    outcome = Outcome(act)
    jobs = list(_jobs_of(ids[:MOST]))
    if missing := len(ids[:MOST]) - len(jobs):
        outcome.left["gone by then"] = missing
    with _noting(request, outcome):
        for job in jobs:
            _perform_one(job, act, person_of(request), outcome)
    return outcome


def _perform_one(job: Job, act: Act, by: str, outcome: Outcome) -> None:
    fate = act.fate_of(job)
    if not fate.happens:
        outcome.left[fate.words] += 1
        return
    try:
        act.do(job.pk, by)
    except (NotFound, JobActive, JobEnded, JobNotEnded) as refusal:
        outcome.left[next(words for kind, words in _REFUSED if isinstance(refusal, kind))] += 1
    else:
        outcome.done.append(job)


@contextlib.contextmanager
def _noting(request: HttpRequest, outcome: Outcome) -> Iterator[None]:
    """Note what was done in one transaction, also when something breaks half-way."""
    try:
        yield
    finally:
        with transaction.atomic():
            for job in outcome.done:
                note_act(request, job, outcome.act.noted, outcome.act.done)


def _jobs_of(ids: Sequence[int]) -> Iterator[Job]:
    """Yield the jobs of these numbers that there are, newest first, without their contents."""
    for start in range(0, len(ids), _TOGETHER):
        found = Job.objects.filter(pk__in=ids[start : start + _TOGETHER])
        yield from found.defer(*CONTENTS).order_by("-pk")


def _files_of(ids: Sequence[int]) -> tuple[int, int]:
    """Return how many files these jobs wrote, and how many bytes they are."""
    files = total = 0
    for start in range(0, len(ids), _TOGETHER):
        of_some = Artifact.objects.filter(job_id__in=ids[start : start + _TOGETHER])
        sums = of_some.aggregate(files=Count("pk"), total=Sum("size"))
        files, total = files + sums["files"], total + (sums["total"] or 0)
    return files, total
