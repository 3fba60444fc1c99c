"""What the installer is told by its environment.

It reads the variables itself: as root it runs without Django, without Celery and without the ``.env`` file, which
belongs to the service's user. Their table is in ``pirunner.env``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from installer.refusals import Refusal

SYSTEMD_DIR = "/etc/systemd/system"
STATE_DIR = "/var/lib/piar-sysd"
POLL_MS = "15000"
DRY_RUN_FOLDER = "systemd-units"
_TRUE = {"on", "true", "1", "yes"}
_FALSE = {"off", "false", "0", "no", ""}
_LEAST_POLL_MS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Config:
    """Where everything lies, and whom the timers call. ``token`` is "" when none is set."""

    data_dir: Path
    systemd_dir: Path
    state_dir: Path
    api_url: str
    token: str
    apply: bool
    poll_seconds: float

    @property
    def units_dir(self) -> Path:
        """Where the units go: systemd's folder, or without ``apply`` one to look at."""
        return self.systemd_dir if self.apply else self.data_dir / DRY_RUN_FOLDER

    @property
    def own_dir(self) -> Path:
        """Where the installer keeps what it has done."""
        return self.state_dir if self.apply else self.units_dir / ".state"


def read_config(environment: Mapping[str, str], *, root: Path, apply: bool | None = None) -> Config:
    """Return the configuration; relative folders are counted from ``root``, and ``apply`` wins over the variable.

    Raises ``Refusal`` with a sentence for the owner.
    """

    def value(name: str, default: str = "") -> str:
        return environment.get(name, "").strip() or default

    return Config(
        data_dir=_folder(root, value("RUNNER_DATA_DIR", "data")),
        systemd_dir=_folder(root, value("SYSTEMD_DIR", SYSTEMD_DIR)),
        state_dir=_folder(root, value("INSTALLER_STATE_DIR", STATE_DIR)),
        api_url=_address(value("API_URL", f"http://127.0.0.1:{value('PORT', '8787')}")),
        token=_token(value("INSTALLER_TOKEN"), value("INSTALLER_TOKEN_FILE")),
        apply=_switch(value("APPLY_SYSTEMD", "false")) if apply is None else apply,
        poll_seconds=_poll(value("INSTALLER_POLL_MS", POLL_MS)),
    )


def _folder(root: Path, text: str) -> Path:
    return (root / Path(text).expanduser()).resolve()


def _address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not text.isascii() or not text.isprintable() or set(text) & set(" \"'\\?#@"):
        raise Refusal("bad_setting", "API_URL must be the address of the API, like http://127.0.0.1:8787.")
    return text.rstrip("/")


def _token(text: str, file_name: str) -> str:
    if not text and file_name:
        try:
            text = Path(file_name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Refusal("bad_setting", f"INSTALLER_TOKEN_FILE cannot be read: {error}.") from error
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Refusal("bad_setting", "INSTALLER_TOKEN may have letters, digits and signs of ASCII only, and no blank.")
    return text


def _switch(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise Refusal("bad_setting", f"APPLY_SYSTEMD must be on or off, not {text!r}.")
    return text.lower() in _TRUE


def _poll(text: str) -> float:
    if not text.isdigit() or int(text) < _LEAST_POLL_MS:
        raise Refusal("bad_setting", f"INSTALLER_POLL_MS must be a number of at least {_LEAST_POLL_MS}, not {text!r}.")
    return int(text) / 1000
