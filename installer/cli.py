"""The command line, for both of its doors: ``manage.py sync_systemd`` and ``python -m installer``."""

import os
import signal
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from types import FrameType

from installer.config import Config, read_config
from installer.refusals import Refusal
from installer.report import changes, summary, table
from installer.status import Stage, read_status
from installer.sync import Busy, Outcome, Say, Syncer
from installer.systemd import Manager, NoManager, Systemctl
from installer.telling import folder_of
from installer.watch import Watch

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Exit(IntEnum):
    """How the program ends."""

    DONE = 0
    SOME_REFUSED = 1
    NOT_DONE = 3
    BUSY = 75  # EX_TEMPFAIL: try again


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--once", action="store_true", help="Sync once (the default).")
    how.add_argument("--watch", action="store_true", help="Sync whenever something changes, until it is stopped.")
    how.add_argument("--status", action="store_true", help="Show what the last sync did, and do nothing.")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--dry-run", action="store_true", help="Write units below RUNNER_DATA_DIR/systemd-units (the default)."
    )
    where.add_argument("--apply", action="store_true", help="Write to SYSTEMD_DIR and start timers; as root.")
    parser.add_argument(
        "--trust", metavar="FINGERPRINT", default="", help="Trust the key that has this fingerprint from now on."
    )


def run(options: Namespace, environment: Mapping[str, str], root: Path, say: Say) -> Exit:
    """Do what the options say, and return how it ended; ``root`` is where relative folders are counted from."""
    try:
        apply = True if options.apply else False if options.dry_run else None
        config = read_config(environment, root=root, apply=apply)
        if options.status:
            return _show_status(config, say)
        syncer = Syncer(config, _manager(config), say)
        return _watch(syncer, say) if options.watch else _once(syncer, say, options.trust)
    except Refusal as refusal:
        say(refusal.message)
        return Exit.NOT_DONE
    except Busy as busy:
        say(str(busy))
        return Exit.BUSY


def main(arguments: list[str] | None = None) -> int:
    """Run without Django: the environment is all that is read."""
    parser = ArgumentParser(prog="python -m installer", description="Turns signed manifests into systemd timers.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    return run(options, os.environ, Path(__file__).resolve().parents[1], _print)


def _print(line: str) -> None:
    print(line, flush=True)


def _manager(config: Config) -> Manager:
    return Systemctl() if config.apply else NoManager()


def _once(syncer: Syncer, say: Say, trust: str) -> Exit:
    outcome = syncer.sync(trust=trust)
    _say_changes(outcome, say)
    say(table(outcome.status))
    return _exit_of(outcome)


def _watch(syncer: Syncer, say: Say) -> Exit:
    over = threading.Event()

    def report(outcome: Outcome, before: Outcome | None) -> None:
        _say_changes(outcome, say)
        line = summary(outcome.status)
        if before is None or summary(before.status) != line:
            say(line)

    with _stopped_by_signals(over):
        Watch(syncer, say).run(over, report)
    return Exit.DONE


def _show_status(config: Config, say: Say) -> Exit:
    status = read_status(folder_of(config))
    if status is None:
        say(f"No sync has been done yet: there is no status below {folder_of(config)}.")
        return Exit.NOT_DONE
    say(f"Last sync heard of: {status.last_sync_at:%Y-%m-%d %H:%M:%S} UTC")
    say(table(status))
    return _exit_of(Outcome(status))


def _say_changes(outcome: Outcome, say: Say) -> None:
    for line in changes(outcome.plan, apply=outcome.status.apply):
        say(line)


def _exit_of(outcome: Outcome) -> Exit:
    if outcome.status.problem:
        return Exit.NOT_DONE
    bad = {Stage.REFUSED, Stage.FAILED}
    return Exit.SOME_REFUSED if any(item.state in bad for item in outcome.status.manifests.values()) else Exit.DONE


@contextmanager
def _stopped_by_signals(over: threading.Event) -> Iterator[None]:
    def stop(_number: int, _frame: FrameType | None) -> None:
        over.set()

    before = {number: signal.signal(number, stop) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
