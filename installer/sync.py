"""One sync: what the manifests say becomes what systemd has.

verify -> render -> plan -> check -> carry out -> tell. Whatever is wrong with one manifest leaves the others alone;
what is wrong with the index, the key or the folders leaves everything as it is.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from installer import keys
from installer.applying import Done, Hands, Step, carry_out
from installer.checking import check, sweep_copies
from installer.config import Config
from installer.files import Folder, make_folder
from installer.inbox import Received, receive
from installer.manifests import FOLDER
from installer.plan import Found, Plan, Present, plan
from installer.refusals import Refusal
from installer.state import State, read_state, write_state
from installer.status import Item, Stage, Status
from installer.systemd import Manager, can_analyze
from installer.telling import is_due, tell, tell_problem
from installer.trust import makers, trusted_key, warnings
from installer.units import HEADER_FILE, SERVICE, header_text, id_of_timer, service_text
from installer.units_folder import open_units, present_units, sha256_of
from installer.wanting import Wish, wish_of

Say = Callable[[str], None]
_MOST_HEADER_BYTES = 64 * 1024


class Busy(Exception):
    """Another sync is at it."""


@dataclass(frozen=True)
class Outcome:
    """What a sync has done: what it tells, what it planned, and when something will be different by itself."""

    status: Status
    plan: Plan = field(default_factory=Plan)
    changed: bool = False
    again_at: datetime | None = None


@dataclass(frozen=True)
class _Folders:
    own: Folder
    units: Folder
    data: Folder
    manifests: Folder


@dataclass(frozen=True)
class Syncer:
    """Syncs as its configuration says. ``say`` is told what a person may want to know, ``step`` what is next."""

    config: Config
    manager: Manager
    say: Say
    step: Step = lambda _step: None

    def sync(self, now: datetime | None = None, *, trust: str = "") -> Outcome:
        """Do it once, and write the status. ``trust`` is the fingerprint of a new key. Raises ``Busy``."""
        now = now or datetime.now(UTC)
        try:
            with ExitStack() as stack:
                return self._sync(self._open(stack), now, trust)
        except Refusal as refusal:
            return self._failed(now, refusal.message)
        except OSError as error:
            return self._failed(now, f"{error.filename or 'A file'}: {error.strerror}.")

    def _open(self, stack: ExitStack) -> _Folders:
        config = self.config
        own = stack.enter_context(_own_folder(config))
        try:
            stack.enter_context(own.locked(wait=False))
        except BlockingIOError:
            raise Busy("Another sync is running.") from None
        own.sweep()
        sweep_copies(own)
        units = stack.enter_context(open_units(config.units_dir))
        data = stack.enter_context(Folder(config.data_dir))
        try:
            manifests = stack.enter_context(Folder(config.data_dir / FOLDER, within=data))
        except FileNotFoundError:
            raise Refusal("no_manifests", f"There is no {config.data_dir / FOLDER} yet: nothing to do.") from None
        if manifests.stat.st_uid != data.stat.st_uid:
            raise Refusal("wrong_owner", f"{manifests.path} does not belong to the owner of {data.path}.")
        return _Folders(own, units, data, manifests)

    def _sync(self, folders: _Folders, now: datetime, trust: str) -> Outcome:
        key, state, received = self._receive(folders, now, trust)
        fingerprint = keys.fingerprint(key)
        wish = wish_of(received, fingerprint, now)
        present = present_units(folders.units, makers(key, state))
        service = self._service(folders.own, fingerprint)
        written = present.pop(SERVICE, None)
        if written and written.found is Found.FOREIGN:
            raise Refusal("foreign", f"{SERVICE} is another program's, or another pirunner's; nothing is done.")
        changed = None if written and written.sha256 == sha256_of(service) else service
        planned = self._plan(wish, present, state, folders.own, service=service, is_new=changed is not None)
        hands = Hands(folders.units, folders.own, self.manager, self.step)
        done = carry_out(hands, planned, wish.timers, changed, state)
        told = tell(self._status(received, wish, done, fingerprint, now), self.config, self.manager, done.changed)
        return Outcome(told, planned, done.changed, wish.again_at)

    def _receive(self, folders: _Folders, now: datetime, trust: str) -> tuple[Ed25519PublicKey, State, Received]:
        """Read what is signed, and remember whom is trusted and the highest number, before anything comes of it."""
        before = read_state(folders.own)
        key, state = trusted_key(folders.manifests, before, trust=trust)
        received = receive(folders.manifests, key, least_sequence=state.sequence)
        if state.key != before.key:
            self.say(f"The key {keys.fingerprint(key)} is trusted from now on.")
        state = msgspec.structs.replace(state, sequence=received.sequence)
        if is_due(self.config, now):
            state = _without_stopped(state, self.manager)
        if state != before:
            self.step("remember")
            write_state(folders.own, state)
        return key, state, received

    def _service(self, own: Folder, fingerprint: str) -> str:
        """Return the text of the service, and see that its credential is there."""
        curl = shutil.which("curl")
        if self.config.apply:
            if not self.config.token:
                raise Refusal("no_token", "INSTALLER_TOKEN is empty: the API would refuse every ring.")
            if curl is None:
                raise Refusal("no_curl", "There is no curl on this machine, with which the timers call the API.")
            _put_header(own, header_text(self.config.token))
        return service_text(
            curl=curl or "/usr/bin/curl",
            api_url=self.config.api_url,
            state_dir=self.config.state_dir,
            fingerprint=fingerprint,
        )

    def _plan(
        self, wish: Wish, present: dict[str, Present], state: State, own: Folder, *, service: str, is_new: bool
    ) -> Plan:
        """Return the plan, without the timers that systemd's own check refuses or whose files are others'."""
        first = plan(wish.timers, wish.kept, present, state.applied)
        for name in first.foreign:
            _refuse(wish, name, Refusal("foreign", f"{name} is there already, and was not made by this program."))
        if first.write or is_new:
            for name, refusal in check(wish, first.write, service, own).items():
                _refuse(wish, name, refusal)
        return plan(wish.timers, wish.kept, present, state.applied)

    def _status(self, received: Received, wish: Wish, done: Done, fingerprint: str, now: datetime) -> Status:
        items = dict(wish.items)
        for name in done.failed:
            message = f"systemd did not start it: see systemctl status {name}."
            items[name.removeprefix("piar-").removesuffix(".timer")] = Item(
                state=Stage.FAILED, reason="not_started", message=message, timer=name
            )
        return Status(
            last_sync_at=now,
            apply=self.config.apply,
            fingerprint=fingerprint,
            sequence=received.sequence,
            checked=can_analyze(),
            warnings=tuple(warnings(self.config)),
            manifests=items,
            strays=received.strays,
            stray_count=received.stray_count,
            counters=done.state.counters,
        )

    def _failed(self, now: datetime, problem: str) -> Outcome:
        return Outcome(tell_problem(problem, self.config, now))


def _own_folder(config: Config) -> Folder:
    if not config.apply:
        with make_folder(config.units_dir, 0o755):
            pass
    folder = make_folder(config.own_dir, 0o700)
    if folder.stat.st_uid != os.geteuid() or folder.stat.st_mode & 0o077:
        with folder:
            raise Refusal("unsafe_folder", f"{folder.path} must belong to who syncs, with mode 0700.")
    return folder


def _without_stopped(state: State, manager: Manager) -> State:
    """Forget what somebody stopped who is not we, so that it is put right."""
    enabled = sorted(name for name, applied in state.applied.items() if applied.enabled)
    stopped = set(enabled) - manager.running(enabled)
    return msgspec.structs.replace(
        state, applied={name: applied for name, applied in state.applied.items() if name not in stopped}
    )


def _put_header(own: Folder, text: str) -> None:
    try:
        if own.read(HEADER_FILE, most=_MOST_HEADER_BYTES) == text.encode():
            return
    except FileNotFoundError:
        pass
    own.write(HEADER_FILE, text.encode(), mode=0o600)


def _refuse(wish: Wish, name: str, refusal: Refusal) -> None:
    id_ = id_of_timer(name)
    if id_:
        wish.refuse(id_, refusal)
