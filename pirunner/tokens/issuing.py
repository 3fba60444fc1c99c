"""What is done to tokens: issued, rotated, revoked. The text is returned once and kept nowhere."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from pirunner.callers import Scope
from pirunner.errors import Conflict, Fault, InvalidPayload, NotFound
from pirunner.tokens.models import LONGEST_LABEL, Standing, Token
from pirunner.tokens.text import digest_of, hint_of, new_text

RESERVED = frozenset({"bootstrap", "pirunner"})
_LABEL = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._@-]{{0,{LONGEST_LABEL - 1}}}")


class LabelTaken(Conflict):
    """There is, or was, a token with this label."""

    code = "label_taken"


class TokenRevoked(Conflict):
    """The token was revoked, and stays so."""

    code = "token_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a token may do, and until when; ``job_types`` empty means all."""

    scopes: Collection[Scope]
    job_types: Collection[str] = ()
    requests_per_minute: int | None = None
    own_only: bool = False
    expires_at: datetime | None = None


def issue_token(label: str, terms: Terms, *, by: str) -> tuple[Token, str]:
    """Make a token; return it and its text. Raises ``InvalidPayload`` or ``LabelTaken``."""
    faults = [*label_faults(label), *faults_of(terms)]
    if faults:
        raise InvalidPayload(faults)
    text = new_text()
    token = Token(label=label, digest=digest_of(text), hint=hint_of(text), created_at=timezone.now(), created_by=by)
    put_terms(token, terms)
    try:
        with transaction.atomic():
            token.save(force_insert=True)
    except IntegrityError:
        raise LabelTaken(
            f"There is, or was, a token {label!r}; what it made is still its own, so take another label."
        ) from None
    return token, text


def put_terms(token: Token, terms: Terms) -> None:
    """Let a row say what its token may do."""
    token.scopes = " ".join(scope.value for scope in Scope if scope in terms.scopes)
    token.job_types = " ".join(sorted(terms.job_types))
    token.requests_per_minute = terms.requests_per_minute
    token.own_only = terms.own_only
    token.expires_at = terms.expires_at


def rotate_token(label: str, *, grace: timedelta = timedelta()) -> tuple[Token, str]:
    """Give a token another text, and return both; the one before is let in for the ``grace``.

    Raises ``NotFound``, or ``TokenRevoked``.
    """
    text = new_text()
    with transaction.atomic():
        token = _locked(label)
        if token.revoked_at is not None:
            raise TokenRevoked(f"The token {label!r} was revoked; issue another one.")
        token.previous_digest = token.digest if grace else None
        token.previous_until = timezone.now() + grace if grace else None
        token.digest, token.hint = digest_of(text), hint_of(text)
        token.save()
    return token, text


def revoke_token(label: str, *, by: str) -> Token:
    """Let a token in no more; revoking it again changes nothing. Raises ``NotFound``."""
    with transaction.atomic():
        token = _locked(label)
        if token.revoked_at is None:
            token.revoked_at, token.revoked_by = timezone.now(), by[:150]
            token.save()
    return token


def label_faults(label: str) -> list[Fault]:
    """Return what keeps a text from being the label of a token."""
    if not _LABEL.fullmatch(label):
        message = f"A label has 1 to {LONGEST_LABEL} letters, digits or . - _ @, and begins with a letter or digit."
        return [Fault(("label",), "invalid_label", message)]
    if label.lower() in RESERVED:
        message = f"{label!r} stands for somebody else already; take another label."
        return [Fault(("label",), "invalid_label", message)]
    return []


def faults_of(terms: Terms) -> list[Fault]:
    """Return what is wrong with what a token is to be allowed."""
    faults = []
    if not terms.scopes:
        faults.append(Fault(("scopes",), "required", f"Give it a scope: {_told(Scope)}."))
    if terms.own_only and Scope.ADMIN in terms.scopes:
        message = "A token with the scope 'admin' cannot be limited to its own."
        faults.append(Fault(("ownOnly",), "invalid_value", message))
    if terms.requests_per_minute is not None and terms.requests_per_minute < 1:
        faults.append(Fault(("requestsPerMinute",), "too_small", "A limit is 1 request a minute or more."))
    if terms.expires_at is not None and terms.expires_at <= timezone.now():
        faults.append(Fault(("expiresAt",), "invalid_date", "A token expires in the future."))
    return faults


def limits_of(token: Token) -> str:
    """Return in words what narrows a token, "" if nothing does."""
    limits = [
        *(["its own only"] if token.own_only else []),
        *([f"only {', '.join(token.job_types.split())}"] if token.job_types else []),
        *([f"{token.requests_per_minute} a minute"] if token.requests_per_minute else []),
    ]
    return "; ".join(limits)


def standing_of(token: Token) -> Standing:
    """Return whether a token is let in now."""
    return token.standing(timezone.now())


def _locked(label: str) -> Token:
    token = Token.objects.select_for_update().filter(label=label).first()
    if token is None:
        raise NotFound(f"There is no token {label[:LONGEST_LABEL]!r}.")
    return token


def _told(scopes: Iterable[Scope]) -> str:
    return ", ".join(scope.value for scope in scopes)
