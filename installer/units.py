"""The text of the units. Pure; the only place where one is put together.

A timer's only variables are an id of a strict form and calendar lines of a strict form; the service's are the address
of the API and a path. Whatever else would get in is refused here once more, whoever checked it before.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from installer.refusals import Refusal
from installer.schema import ID

SERVICE = "piar-sysd@.service"
HEADER_FILE = "installer_header"
TRIGGER_PATH = "/internal/systemd/trigger/"
_TIMER = re.compile(r"\Apiar-(sysd-[0-9a-f-]{36})\.timer\Z")
_MARKER = re.compile(r"\A# Made by pirunner's installer for the key ([0-9a-f]{32})\. Edits are lost\.\n")
_LINE = re.compile(
    r"\A((Sun|Mon|Tue|Wed|Thu|Fri|Sat)(,(Sun|Mon|Tue|Wed|Thu|Fri|Sat)){0,6} )?"
    r"(\*|[0-9]{4})-[0-9*,]+-[0-9*,]+ [0-9*,]+:[0-9*,]+:[0-9*,]+ [A-Za-z][A-Za-z0-9_+/-]*\Z"
)

_SANDBOX = """\
DynamicUser=yes
UMask=0077
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
PrivateDevices=yes
PrivateTmp=yes
PrivateUsers=yes
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RemoveIPC=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
"""


def timer_name(id_: str) -> str:
    """Return the name of a schedule's timer. Raises ``Refusal`` if this is no id."""
    if not ID.match(id_):
        raise Refusal("invalid_id", f"{id_[:60]!r} is no id.")
    return f"piar-{id_}.timer"


def id_of_timer(name: str) -> str | None:
    """Return the id of a timer's name; None if the name is none that this program gives."""
    match = _TIMER.match(name)
    return match[1] if match and ID.match(match[1]) else None


def maker_of(text: str) -> str | None:
    """Return the fingerprint of the key for which this program made a unit; None if it did not make it."""
    match = _MARKER.match(text)
    return match[1] if match else None


def timer_text(id_: str, lines: tuple[str, ...], fingerprint: str) -> str:
    """Return the timer of a schedule. Raises ``Refusal`` for anything but calendar lines of our own making."""
    name = timer_name(id_)
    wrong = [line for line in lines if not _LINE.match(line)]
    if wrong or not lines:
        raise Refusal("not_expressible", f"{name} cannot have the calendar {(wrong or [''])[0][:80]!r}.")
    calendar = "".join(f"OnCalendar={line}\n" for line in lines)
    return (
        f"{_marker(fingerprint)}"
        f"[Unit]\nDescription=pirunner rings for {id_}\n\n"
        f"[Timer]\nUnit=piar-sysd@{id_}.service\n{calendar}Persistent=true\nAccuracySec=1s\n\n"
        f"[Install]\nWantedBy=timers.target\n"
    )


def service_text(*, curl: str, api_url: str, state_dir: Path, fingerprint: str) -> str:
    """Return the service that all timers start. The token is in a file that only root reads.

    systemd hands that file to the process as a credential, so it is in no unit, environment or argument list.
    """
    address = f"{literal(api_url)}{TRIGGER_PATH}%i"
    return (
        f"{_marker(fingerprint)}"
        # A period of a second is five starts in less than the ten seconds in which systemd allows as many.
        "[Unit]\nDescription=pirunner is told that %i is due\nAfter=network.target\nStartLimitIntervalSec=0\n\n"
        "[Service]\nType=oneshot\n"
        f"LoadCredential={HEADER_FILE}:{literal(str(state_dir / HEADER_FILE))}\n"
        f"ExecStart={literal(curl)} --disable --silent --show-error --fail-with-body --globoff --noproxy * "
        "--proto =http,https --max-time 20 --retry 3 --retry-delay 1 --retry-connrefused "
        f"--header @%d/{HEADER_FILE} --request POST {address}\n"
        "TimeoutStartSec=90\nSyslogIdentifier=piar-sysd\n"
        f"{_SANDBOX}{_network(api_url)}"
    )


def header_text(token: str) -> str:
    """Return the file of the credential: the header that the trigger asks for."""
    return f"x-installer-token: {token}\n"


def _network(api_url: str) -> str:
    if is_loopback(urlsplit(api_url).hostname or ""):
        return "RestrictAddressFamilies=AF_INET AF_INET6\nIPAddressDeny=any\nIPAddressAllow=localhost\n"
    return "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX\n"  # AF_UNIX: for the machine's resolver


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, as its name or address says."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _marker(fingerprint: str) -> str:
    marker = f"# Made by pirunner's installer for the key {fingerprint}. Edits are lost.\n"
    if not _MARKER.match(marker):
        raise Refusal("no_key", "This is no fingerprint.")
    return marker


def literal(value: str) -> str:
    """Return a value that systemd takes as it is written. Raises ``Refusal`` if there is none in a unit."""
    if not value.isascii() or not value.isprintable() or set(value) & set(" \"'\\;"):
        raise Refusal("bad_setting", f"{value[:80]!r} cannot be written into a unit.")
    return value.replace("%", "%%").replace("$", "$$")
