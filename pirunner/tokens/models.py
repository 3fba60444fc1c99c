"""The tokens of agents and programs; those of people are passwords, and lie with Django's users."""

from datetime import datetime
from enum import StrEnum

from django.db import models

from pirunner.callers import Caller, Scope

LONGEST_LABEL = 80


class Standing(StrEnum):
    """Whether a token is let in, and if not, why."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class Token(models.Model):
    """One token. Its label is the owner of what it makes, so no other token ever has it, also when it is revoked."""

    label = models.CharField(max_length=LONGEST_LABEL, unique=True)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the text, which nobody keeps.")
    hint = models.CharField(max_length=16, help_text="How the text begins.")
    previous_digest = models.CharField(  # noqa: DJ001  (unique, so that none must not be empty text)
        max_length=64, null=True, unique=True, help_text="Of the text before the last rotation."
    )
    previous_until = models.DateTimeField(null=True, help_text="Until when that is let in, too.")

    scopes = models.CharField(max_length=200, help_text="With blanks between.")
    job_types = models.TextField(blank=True, default="", help_text="With blanks between; empty: all.")
    requests_per_minute = models.PositiveIntegerField(null=True)
    own_only = models.BooleanField(default=False, help_text="Sees and changes only what it made itself.")

    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, blank=True, default="")
    last_used_at = models.DateTimeField(null=True, help_text="Within a minute.")

    def __str__(self) -> str:
        return self.label

    def standing(self, now: datetime) -> Standing:
        """Return whether the token is let in at a moment."""
        if self.revoked_at is not None:
            return Standing.REVOKED
        return Standing.EXPIRED if self.expires_at is not None and self.expires_at <= now else Standing.VALID

    @property
    def scope_list(self) -> list[Scope]:
        """The scopes, in the order in which they are always told."""
        kept = self.scopes.split()
        return [scope for scope in Scope if scope.value in kept]

    @property
    def caller(self) -> Caller:
        """Who calls with this token."""
        types = frozenset(self.job_types.split())
        return Caller(self.label, frozenset(self.scope_list), types, own_only=self.own_only)
