"""Who calls, and what they may do: the scopes of a token and its limits. Imports nothing of Django."""

from dataclasses import dataclass
from enum import StrEnum

from pirunner.errors import Forbidden


class Scope(StrEnum):
    """What a token may do; ``admin`` may do everything."""

    JOBS_READ = "jobs:read"
    JOBS_WRITE = "jobs:write"
    SCHEDULES_WRITE = "schedules:write"
    DELIVERIES_WRITE = "deliveries:write"
    ADMIN = "admin"


MEANINGS = {
    Scope.JOBS_READ: "read jobs, schedules, events, callbacks and files",
    Scope.JOBS_WRITE: "submit, cancel, retry and delete jobs",
    Scope.SCHEDULES_WRITE: "make, edit, pause, run and delete schedules",
    Scope.DELIVERIES_WRITE: "replay callbacks and try receivers",
    Scope.ADMIN: "everything, also make again what a person deleted",
}


_PERSON = "admin:"


def name_of_person(username: str) -> str:
    """Return the name by which rows remember a person; no token's label has a colon."""
    return f"{_PERSON}{username}"


def is_person(owner: str) -> bool:
    """Return whether an owner of rows is a person, and not a token."""
    return owner.startswith(_PERSON)


@dataclass(frozen=True, slots=True)
class Caller:
    """A token that calls: its label, its scopes, and its limits.

    ``job_types`` are those that it may have run (empty: all). With ``own_only`` it sees and changes nothing but what
    it made itself.
    """

    name: str
    scopes: frozenset[Scope] = frozenset({Scope.ADMIN})
    job_types: frozenset[str] = frozenset()
    own_only: bool = False
    is_authenticated: bool = True

    @property
    def only(self) -> str | None:
        """The owner whose things the caller may see, None if it may see everybody's."""
        return self.name if self.own_only else None

    @property
    def is_limited(self) -> bool:
        """Whether the caller may do less with a thing than its scopes say, depending on the thing."""
        return self.own_only or bool(self.job_types)

    def may(self, *any_of: Scope) -> bool:
        """Return whether the caller has one of these scopes."""
        return Scope.ADMIN in self.scopes or not self.scopes.isdisjoint(any_of)

    def require(self, *any_of: Scope) -> None:
        """Raise ``Forbidden`` unless the caller has one of these scopes."""
        if not self.may(*any_of):
            missing = " or ".join(repr(scope.value) for scope in any_of or (Scope.ADMIN,))
            raise Forbidden(f"This call needs the scope {missing}; the token {self.name!r} has {self._scopes_told()}.")

    def check_job_type(self, job_type: str) -> None:
        """Raise ``Forbidden`` if the caller may not have jobs of this type run."""
        if self.job_types and job_type not in self.job_types:
            allowed = ", ".join(sorted(self.job_types))
            raise Forbidden(f"The token {self.name!r} may only have these job types run: {allowed}.")

    def check_submission(self, job_type: str, *, recurs: bool, replaces: bool) -> None:
        """Raise ``Forbidden`` if the caller may not submit this: a job, or a schedule if it ``recurs``.

        What ``replaces`` others of its concurrency key might cancel those of somebody else.
        """
        self.require(Scope.SCHEDULES_WRITE if recurs else Scope.JOBS_WRITE)
        self.check_job_type(job_type)
        if replaces and self.own_only:
            raise Forbidden(
                f"The token {self.name!r} is limited to its own jobs, and onConflict 'replace' could cancel others; "
                "send 'queue' or 'reject'."
            )

    def check_sees_all(self) -> None:
        """Raise ``Forbidden`` for a token that is limited to its own, where nothing belongs to anybody."""
        if self.own_only:
            raise Forbidden(f"The token {self.name!r} is limited to its own jobs and schedules; this is about all.")

    def _scopes_told(self) -> str:
        return ", ".join(repr(scope.value) for scope in Scope if scope in self.scopes) or "none"
