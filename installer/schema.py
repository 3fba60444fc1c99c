"""What a manifest and the index say: strict shapes, as they are written and as they are read.

A field that is not declared here is refused. Nothing in them is text of a client's: numbers, instants, the name of a
zone and an id, each with a strict form. There is no input of a job in them and no secret.
"""

import re
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

ID = re.compile(r"\Asysd-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\Z")
ZONE = re.compile(r"\A[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,3}\Z")
LONGEST_PERIOD = 100 * 366 * 86_400  # seconds
MOST_SCHEDULES = 20_000

Id = Annotated[str, Meta(pattern=ID.pattern, max_length=41)]
Zone = Annotated[str, Meta(pattern=ZONE.pattern, max_length=64)]
Instant = Annotated[datetime, Meta(tz=True)]
Sequence = Annotated[int, Meta(ge=1, le=2**53 - 1)]
Minutes = Annotated[tuple[Annotated[int, Meta(ge=0, le=59)], ...], Meta(min_length=1, max_length=60)]
Hours = Annotated[tuple[Annotated[int, Meta(ge=0, le=23)], ...], Meta(min_length=1, max_length=24)]
Days = Annotated[tuple[Annotated[int, Meta(ge=1, le=31)], ...], Meta(min_length=1, max_length=31)]
Months = Annotated[tuple[Annotated[int, Meta(ge=1, le=12)], ...], Meta(min_length=1, max_length=12)]
Weekdays = Annotated[tuple[Annotated[int, Meta(ge=0, le=6)], ...], Meta(min_length=1, max_length=7)]


class Calendar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="calendar"):
    """Times of a zone's clocks, the fields of a cron. ``None`` is every value; Sunday is 0.

    ``either``: a day that fits one of ``days`` and ``weekdays`` is enough; otherwise it must fit both.
    """

    zone: Zone
    minutes: Minutes | None = None
    hours: Hours | None = None
    days: Days | None = None
    months: Months | None = None
    weekdays: Weekdays | None = None
    either: bool = False


class Interval(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="interval"):
    """At ``anchor`` and every so many seconds after it, without drift."""

    seconds: Annotated[int, Meta(ge=1, le=LONGEST_PERIOD)]
    anchor: Instant


class Once(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="once"):
    """At one instant."""

    at: Instant


When = Calendar | Interval | Once


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One schedule as systemd needs it. ``sequence`` is given by the writer and grows with everything written."""

    id: Id
    enabled: bool
    when: When
    created_at: Instant
    updated_at: Instant
    start: Instant | None = None
    end: Instant | None = None
    sequence: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    version: Annotated[int, Meta(ge=1, le=1)] = 1


class Entry(Struct, frozen=True, forbid_unknown_fields=True, array_like=True):
    """What the index says of one manifest: its sequence number and the SHA-256 of its file, in hexadecimal."""

    sequence: Sequence
    sha256: Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z", max_length=64)]


class Index(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All live manifests. What is not in it is deleted, whatever files there are."""

    sequence: Annotated[int, Meta(ge=0, le=2**53 - 1)] = 0
    live: Annotated[dict[Id, Entry], Meta(max_length=MOST_SCHEDULES)] = msgspec.field(default_factory=dict)
    version: Annotated[int, Meta(ge=1, le=1)] = 1
