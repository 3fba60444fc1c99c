"""What the services are made of: where everything lies, as whom they run, and which of them are needed."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pirunner import env
from pirunner.dotenv import LINE
from pirunner.up.roles import Role

DATA_DIR = Path("/var/lib/pirunner")
USER = "pirunner"
HIDDEN = (Path("/home"), Path("/root"), Path("/run/user"))
"""What ProtectHome= hides from a service."""
_OFF = {"off", "false", "0", "no"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Where everything lies. ``python`` is the virtual environment's, ``base`` where that one's own Python lies."""

    user: str = USER
    data_dir: Path = DATA_DIR
    root: Path = env.ROOT
    python: Path = field(default_factory=lambda: Path(sys.executable))
    base: Path = field(default_factory=lambda: Path(sys.base_prefix))
    settings: Mapping[str, str] = field(default_factory=dict)
    """The variables of the services' ``.env``, as far as it is there yet."""
    together: bool = False
    """One service for all parts, which share their memory, instead of one for each."""
    installer: bool = True

    @property
    def env_file(self) -> Path:
        """Where the services keep their secrets and find their settings."""
        return self.data_dir / ".env"

    @property
    def roles(self) -> tuple[Role, ...]:
        """The parts that are services, in the order in which they are wanted."""
        own_broker = not (self.settings.get("REDIS_URL") or self.settings.get("BROKER_URL"))
        wanted = {
            Role.REDIS: own_broker,
            Role.FLOWER: self.settings.get("FLOWER", "on").lower() not in _OFF,
        }
        return tuple(role for role in Role if wanted.get(role, True))

    @property
    def api_url(self) -> str:
        """Where systemd's timers find the API."""
        return self.settings.get("API_URL") or f"http://127.0.0.1:{self.settings.get('PORT') or 8787}"

    @property
    def hidden(self) -> tuple[Path, ...]:
        """The folders of the code that lie where ProtectHome= hides them, the outermost only."""
        venv = self.python.parent.parent
        inside = sorted({path for path in (self.root, venv, self.base) if is_hidden(path)})
        return tuple(path for path in inside if not any(other in path.parents for other in inside))


def is_hidden(path: Path) -> bool:
    """Return whether ProtectHome= hides a path."""
    return any(place == path or place in path.parents for place in HIDDEN)


def settings_in(text: str) -> dict[str, str]:
    """Return the variables of a ``.env`` file's text, without quotes."""
    matches = (LINE.fullmatch(line) for line in text.splitlines())
    return {match[1]: match[2].strip(" \t'\"") for match in matches if match}
