"""What the installer itself knows: whom it trusts, the highest number it has seen, and what it has put in place.

It is written before anything is changed, without what is about to change, and afterwards with it. So whoever is
killed in between is followed by one who does it again; everything that is done can be done twice.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from installer.files import Folder
from installer.refusals import Refusal

FILE = "state.json"
MOST_BYTES = 16 * 1024 * 1024


class Applied(Struct, frozen=True, array_like=True):
    """A timer that is in place: the SHA-256 of its text, and whether it is enabled and started."""

    sha256: str
    enabled: bool


class Counters(Struct, frozen=True, kw_only=True):
    """What has been done since the beginning."""

    changes: int = 0
    reloads: int = 0
    failures: int = 0


class State(Struct, frozen=True, kw_only=True):
    """``key`` is the trusted public key in PEM, "" as long as there is none; ``former`` fingerprints of others.

    ``reload`` says that systemd has not read again what was changed.
    """

    key: str = ""
    former: tuple[str, ...] = ()
    sequence: Annotated[int, Meta(ge=0)] = 0
    applied: dict[str, Applied] = msgspec.field(default_factory=dict)
    reload: bool = False
    counters: Counters = Counters()


def read_state(folder: Folder) -> State:
    """Return the state; an empty one at first. Raises ``Refusal`` if it cannot be read."""
    try:
        return msgspec.json.decode(folder.read(FILE, most=MOST_BYTES), type=State)
    except FileNotFoundError:
        return State()
    except msgspec.MsgspecError as error:
        path = folder.path / FILE
        raise Refusal("bad_state", f"{path} is not understood ({error}). Remove it to begin anew.") from error


def write_state(folder: Folder, state: State) -> None:
    """Put the state on disk."""
    folder.write(FILE, msgspec.json.encode(state), mode=0o600)
