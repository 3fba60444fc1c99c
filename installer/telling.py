"""Writing the status: when something is different, and now and then as a sign of life."""

from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import msgspec

from installer.config import Config
from installer.files import Folder
from installer.refusals import Refusal
from installer.status import HEARTBEAT, Item, Status, read_status, write_status
from installer.systemd import Manager


def folder_of(config: Config) -> Path:
    """Return where the status lies: that of a dry run beside its units, where the API does not read it."""
    return config.data_dir if config.apply else config.units_dir


def is_due(config: Config, now: datetime) -> bool:
    """Return whether the last status is so old that another one is due."""
    before = read_status(folder_of(config))
    return before is None or _is_old(before, now)


def tell(status: Status, config: Config, manager: Manager, changed: bool) -> Status:
    """Write the status if there is a reason to, and return the one that is there then."""
    before = read_status(folder_of(config))
    if before and not changed and not _is_old(before, status.last_sync_at) and _is_same(before, status):
        return msgspec.structs.replace(before, last_sync_at=status.last_sync_at)
    status = msgspec.structs.replace(status, manifests=_with_elapses(status.manifests, manager))
    _write(config, status)
    return status


def tell_problem(problem: str, config: Config, now: datetime) -> Status:
    """Say that a sync was not possible, beside what is known from the last one that was."""
    before = read_status(folder_of(config))
    status = msgspec.structs.replace(
        before or Status(last_sync_at=now, apply=config.apply), last_sync_at=now, problem=problem
    )
    if before is None or before.problem != problem or _is_old(before, now):
        # Where not even this can be written, whoever started the sync reads it.
        with suppress(OSError, Refusal):
            _write(config, status)
    return status


def _write(config: Config, status: Status) -> None:
    with Folder(folder_of(config)) as folder:
        write_status(folder, status)


def _is_old(before: Status, now: datetime) -> bool:
    return abs(now - before.last_sync_at) >= timedelta(seconds=HEARTBEAT)


def _is_same(before: Status, status: Status) -> bool:
    return _timeless(before) == _timeless(status)


def _timeless(status: Status) -> Status:
    items = {id_: msgspec.structs.replace(item, next_elapse_at=None) for id_, item in status.manifests.items()}
    return msgspec.structs.replace(status, last_sync_at=datetime.min, manifests=items)  # noqa: DTZ901


def _with_elapses(items: dict[str, Item], manager: Manager) -> dict[str, Item]:
    elapses = manager.next_elapses() or {}
    return {id_: msgspec.structs.replace(item, next_elapse_at=elapses.get(item.timer)) for id_, item in items.items()}
