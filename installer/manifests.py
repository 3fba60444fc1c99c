"""The writing side: what the API calls to hand schedules to systemd, and to take them back.

    when = when_of(cron="0 9 * * 1-5", zone="Europe/Berlin")    # Inexpressible: answer 400 with its objections
    objections = objections_to_schedule(cron=..., zone=...)     # the same as a list, without an exception

    manifests = Manifests(settings.RUNNER_DATA_DIR)             # cheap; makes nothing until something is written
    manifests.write(Manifest(id=new_id(), enabled=True, when=when, start=..., end=..., created_at=..., updated_at=...))
    manifests.remove(id)
    manifests.replace_all(all_manifests_that_the_database_has)  # at start-up: repairs whatever a crash or a hand left

``first_at`` of ``schedules.timing.Timing`` goes to ``when_of`` for intervals (their anchor) and one-time schedules; of
a cron it is the manifest's ``start``. ``manifest_of`` knows that and takes the fields of a schedule as they are.

A writer puts the manifest in place and then the index that names it, by its sequence number and its SHA-256. If it is
killed between the two, the installer leaves the schedule as it was and says so, until ``write`` or ``replace_all`` is
called again: call them after the commit of the transaction that they belong to. Writers in any number of threads and
processes take turns. All of it is on disk when a function returns.
"""

import hashlib
import math
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from installer import keys, sealing
from installer.calendars import objections_to
from installer.crons import calendar_of
from installer.files import Folder, make_folder
from installer.refusals import Inexpressible, Objection, Refusal
from installer.schema import (
    ID,
    LONGEST_PERIOD,
    MOST_SCHEDULES,
    ZONE,
    Calendar,
    Entry,
    Index,
    Interval,
    Manifest,
    Once,
    When,
)

__all__ = [
    "Calendar",
    "Inexpressible",
    "Interval",
    "Manifest",
    "Manifests",
    "Objection",
    "Once",
    "Refusal",
    "When",
    "manifest_of",
    "new_id",
    "objections_to_schedule",
    "when_of",
]

FOLDER = "systemd-manifests"
INDEX_FILE = "index.json"
MOST_MANIFEST_BYTES = 64 * 1024
MOST_INDEX_BYTES = 4 * 1024 * 1024


def new_id() -> str:
    """Return the id of a new schedule."""
    return f"sysd-{uuid4()}"


def when_of(*, zone: str, cron: str = "", every_seconds: float | None = None, first_at: datetime | None = None) -> When:
    """Return when a schedule is due, as systemd can express it.

    ``first_at`` is the anchor of an interval, or the one time of a schedule that has no cron and no period; it is not
    looked at beside a cron. Raises ``Inexpressible`` with everything that is against it.
    """
    when = _when(zone, cron, every_seconds, first_at)
    if objections := objections_to(when):
        raise Inexpressible(tuple(objections))
    return when


def objections_to_schedule(
    *, zone: str, cron: str = "", every_seconds: float | None = None, first_at: datetime | None = None
) -> tuple[Objection, ...]:
    """Return why systemd cannot express a schedule, each with its field and a sentence; nothing if it can."""
    try:
        when_of(zone=zone, cron=cron, every_seconds=every_seconds, first_at=first_at)
    except Inexpressible as inexpressible:
        return inexpressible.objections
    return ()


def manifest_of(
    *,
    id: str,  # noqa: A002 - the word of the manifest
    enabled: bool,
    zone: str,
    cron: str = "",
    every_seconds: float | None = None,
    first_at: datetime | None = None,
    end_at: datetime | None = None,
    created_at: datetime,
    updated_at: datetime,
) -> Manifest:
    """Return the manifest of a schedule. Raises ``Inexpressible``."""
    return Manifest(
        id=id,
        enabled=enabled,
        when=when_of(zone=zone, cron=cron, every_seconds=every_seconds, first_at=first_at),
        start=first_at,
        end=end_at,
        created_at=created_at,
        updated_at=updated_at,
    )


@dataclass(frozen=True)
class Manifests:
    """The signed manifests below a data folder. Every method raises ``OSError`` if the disk does not let it."""

    data_dir: Path

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self.data_dir / FOLDER

    def path(self, id: str) -> Path:  # noqa: A002
        """Return where the manifest of a schedule lies. Raises ``Refusal`` if this is no id."""
        return self.folder / _file_name(id)

    def write(self, *manifests: Manifest) -> None:
        """Put manifests in place, each instead of the one with its id. Raises ``Refusal`` if one makes no sense."""
        self._change(manifests, removed=frozenset())

    def remove(self, *ids: str) -> None:
        """Take schedules out, whether or not they are there. Raises ``Refusal`` if one is no id."""
        for id_ in ids:
            _file_name(id_)
        self._change((), removed=frozenset(ids))

    def replace_all(self, manifests: Iterable[Manifest]) -> None:
        """Make these the only ones; writes only what differs. Raises ``Refusal`` if one makes no sense."""
        self._change(tuple(manifests), removed=None)

    def read_index(self) -> Index:
        """Return what is live; an empty index if nothing has been written yet. Raises ``Refusal``."""
        key = keys.signing_key(self.data_dir)
        with make_folder(self.folder, 0o755) as folder:
            return _index(folder, key)

    def read(self, id: str) -> Manifest | None:  # noqa: A002
        """Return the manifest of a schedule as it was written; None if it is not live or half written."""
        key = keys.signing_key(self.data_dir)
        with make_folder(self.folder, 0o755) as folder:
            entry = _index(folder, key).live.get(id)
            return _written(folder, key, id, entry) if entry else None

    def _change(self, written: tuple[Manifest, ...], *, removed: frozenset[str] | None) -> None:
        """Write some and remove others; ``removed`` None: all that are not written."""
        key = keys.signing_key(self.data_dir)
        with make_folder(self.folder, 0o755) as folder, folder.locked():
            folder.sweep()
            _publish_key(folder, key)
            index = _index(folder, key) if removed is not None else _index_or_none(folder, key)
            gone = set(index.live) - {manifest.id for manifest in written} if removed is None else removed
            changed = [manifest for manifest in written if not _is_same(folder, key, index, manifest)]
            if not changed and not gone & set(index.live) and folder.stat_of(INDEX_FILE):
                return
            _write_all(folder, key, index, changed, gone)


def _write_all(
    folder: Folder, key: Ed25519PrivateKey, index: Index, written: Iterable[Manifest], gone: Iterable[str]
) -> None:
    """Write the manifests, then the index that makes them valid, then take away the files of those that are gone."""
    # A number out of the clock is higher than any that was given before a backup was made that has been put back.
    sequence = max(index.sequence + 1, time.time_ns() // 1_000_000)
    live = dict(index.live)
    for manifest in written:
        document = _sealed(key, msgspec.structs.replace(manifest, sequence=sequence))
        folder.write(_file_name(manifest.id), document)
        live[manifest.id] = Entry(sequence, hashlib.sha256(document).hexdigest())
    for id_ in gone:
        live.pop(id_, None)
    if len(live) > MOST_SCHEDULES:
        raise Refusal("too_many", f"At most {MOST_SCHEDULES:,} schedules can be handed to systemd.")
    content = msgspec.json.encode(Index(sequence=sequence, live=live))
    folder.write(INDEX_FILE, sealing.seal(key, sealing.INDEX, content))
    for id_ in gone:
        folder.remove(_file_name(id_))


def _sealed(key: Ed25519PrivateKey, manifest: Manifest) -> bytes:
    content = msgspec.json.encode(manifest)
    try:
        # Whoever made it, it is what the installer will accept.
        msgspec.json.decode(content, type=Manifest)
    except msgspec.ValidationError as error:
        raise Refusal("invalid_manifest", f"The manifest of {manifest.id!r} makes no sense: {error}.") from error
    return sealing.seal(key, sealing.MANIFEST, content)


def _is_same(folder: Folder, key: Ed25519PrivateKey, index: Index, manifest: Manifest) -> bool:
    entry = index.live.get(manifest.id)
    if entry is None or _written(folder, key, manifest.id, entry) is None:
        return False
    expected = _sealed(key, msgspec.structs.replace(manifest, sequence=entry.sequence))
    return hashlib.sha256(expected).hexdigest() == entry.sha256


def _written(folder: Folder, key: Ed25519PrivateKey, id_: str, entry: Entry) -> Manifest | None:
    try:
        document = folder.read(_file_name(id_), most=MOST_MANIFEST_BYTES)
        content = sealing.unseal(key.public_key(), sealing.MANIFEST, document)
    except (FileNotFoundError, Refusal):
        return None
    whole = hashlib.sha256(document).hexdigest() == entry.sha256
    return msgspec.json.decode(content, type=Manifest) if whole else None


def _index(folder: Folder, key: Ed25519PrivateKey) -> Index:
    try:
        document = folder.read(INDEX_FILE, most=MOST_INDEX_BYTES)
    except FileNotFoundError:
        return Index()
    content = sealing.unseal(key.public_key(), sealing.INDEX, document)
    return msgspec.json.decode(content, type=Index)


def _index_or_none(folder: Folder, key: Ed25519PrivateKey) -> Index:
    """Return an empty index in the place of one that cannot be trusted, for who knows all that has to be in it."""
    try:
        return _index(folder, key)
    except Refusal:
        folder.remove(INDEX_FILE)
        return Index()


def _publish_key(folder: Folder, key: Ed25519PrivateKey) -> None:
    pem = keys.public_pem(key.public_key())
    try:
        if folder.read(keys.PUBLIC_FILE, most=keys.MOST_BYTES) == pem:
            return
    except (FileNotFoundError, Refusal):
        pass
    folder.write(keys.PUBLIC_FILE, pem)


def _file_name(id_: str) -> str:
    if not ID.match(id_):
        raise Refusal("invalid_id", f"{id_[:60]!r} is no id of a schedule of systemd's.")
    return f"{id_}.json"


def _when(zone: str, cron: str, every_seconds: float | None, first_at: datetime | None) -> When:
    if cron:
        if not ZONE.match(zone):
            message = f"systemd does not know the zone {zone[:64]!r}."
            raise Inexpressible((Objection("tz", "not_expressible", message),))
        return calendar_of(cron, zone)
    if first_at is None:
        raise Inexpressible((Objection("runAt", "required", "A schedule without a cron needs a first time."),))
    if every_seconds is None:
        return Once(at=first_at)
    if not math.isfinite(every_seconds) or every_seconds % 1 or not 1 <= every_seconds <= LONGEST_PERIOD:
        message = f"systemd's timers take whole seconds, from 1 to {LONGEST_PERIOD}; {every_seconds} is not."
        raise Inexpressible((Objection("everySeconds", "not_expressible", message),))
    return Interval(seconds=int(every_seconds), anchor=first_at)
