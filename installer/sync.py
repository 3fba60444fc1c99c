"""One sync: what the manifests say becomes what systemd has.

verify -> render -> plan -> check -> carry out -> tell. Whatever is wrong with one manifest leaves the others alone;
what is wrong with the index, the key or the folders leaves everything as it is.
"""

import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from installer import keys, systemd
from installer.applying import Done, Hands, carry_out
from installer.checking import check
from installer.config import Config
from installer.files import Folder, make_folder
from installer.inbox import Received, receive
from installer.manifests import FOLDER
from installer.plan import Found, Plan, Present, plan
from installer.refusals import Refusal
from installer.state import State, read_state, write_state
from installer.status import FILE, HEARTBEAT, Item, Stage, Status, read_status, write_status
from installer.systemd import Manager
from installer.trust import exposed_code, makers, trusted_key
from installer.units import HEADER_FILE, SERVICE, header_text, id_of_timer, service_text, timer_name
from installer.units_folder import open_units, present_units
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
    again_at: datetime | None = None


@dataclass(frozen=True)
class _Folders:
    own: Folder
    units: Folder
    data: Folder
    manifests: Folder


@dataclass(frozen=True)
class Syncer:
    """Syncs as its configuration says. ``step`` is told what is next, ``say`` what a person may want to know."""

    config: Config
    manager: Manager
    say: Say
    step: Say = lambda _step: None

    def sync(self, now: datetime | None = None, *, trust: str = "") -> Outcome:
        """Do it once, and write the status. ``trust`` is the fingerprint of a new key. Raises ``Busy``."""
        now = now or datetime.now(UTC)
        try:
            with ExitStack() as stack:
                folders = self._open(stack)
                outcome = self._sync(folders, now, trust)
                self._tell(folders, outcome.status, now)
                return outcome
        except BlockingIOError as error:
            raise Busy("Another sync is running.") from error
        except Refusal as refusal:
            return self._failed(now, refusal.message)
        except OSError as error:
            return self._failed(now, f"{error.filename or 'A file'}: {error.strerror}.")

    def _open(self, stack: ExitStack) -> _Folders:
        config = self.config
        own = stack.enter_context(_own_folder(config))
        stack.enter_context(own.locked(wait=False))
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
        before = read_state(folders.own)
        key, state = trusted_key(folders.manifests, before, trust=trust)
        fingerprint = keys.fingerprint(key)
        received = receive(folders.manifests, key, least_sequence=state.sequence)
        if state.key != before.key:
            self.say(f"The key {fingerprint} is trusted from now on.")
        state = self._healed(state, folders, now)
        state = msgspec.structs.replace(state, sequence=received.sequence)
        if state != before:
            write_state(folders.own, state)
        wish = wish_of(received, fingerprint, now)
        present = present_units(folders.units, makers(key, state))
        service = self._service(folders.own, present, fingerprint)
        planned = self._planned(wish, present, state, service, folders.own)
        hands = Hands(folders.units, folders.own, self.manager, self._step)
        done = carry_out(hands, planned, wish.timers, service, state)
        status = self._status(received, wish, planned, done, fingerprint, now)
        return Outcome(status, planned, wish.again_at)

    def _service(self, own: Folder, present: dict[str, Present], fingerprint: str) -> str | None:
        """Return the text of the service if it has to be written, and see that its credential is there."""
        if SERVICE in present and present[SERVICE].found is Found.FOREIGN:
            raise Refusal("foreign", f"{SERVICE} is another program's, or another pirunner's; nothing is done.")
        curl = shutil.which("curl")
        if self.config.apply:
            if not self.config.token:
                raise Refusal("no_token", "INSTALLER_TOKEN is empty: the API would refuse every ring.")
            if curl is None:
                raise Refusal("no_curl", "There is no curl on this machine, with which the timers call the API.")
            _put_header(own, header_text(self.config.token))
        text = service_text(
            curl=curl or "/usr/bin/curl",
            api_url=self.config.api_url,
            state_dir=self.config.own_dir,
            fingerprint=fingerprint,
        )
        return None if SERVICE in present and _is_text(present[SERVICE], text) else text

    def _planned(
        self, wish: Wish, present: dict[str, Present], state: State, service: str | None, own: Folder
    ) -> Plan:
        """Return the plan, without the timers that systemd's own check refuses or whose files are others'."""
        timers = {name: file for name, file in present.items() if name != SERVICE}
        first = plan(wish.timers, _kept(wish), timers, state.applied)
        for name in first.foreign:
            wish.refuse(_id(name), Refusal("foreign", f"{name} exists and was not made by this program."))
        if first.write or service:
            found = check(wish, first.write, service or _unchanged(self.config, own), own)
            for name, refusal in found.items():
                wish.refuse(_id(name), refusal)
        return plan(wish.timers, _kept(wish), timers, state.applied)
