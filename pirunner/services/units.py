"""The text of pirunner's own units. Pure.

No secret is in any of them: the services read their ``.env`` themselves, which only their user can read. They can write
to their data folder and nowhere else, their code included.
"""

from installer.refusals import Refusal
from installer.units import literal
from pirunner.services.layout import Layout, is_hidden
from pirunner.up.roles import Role

TARGET = "pirunner.target"
TOGETHER = "pirunner.service"
INSTALLER = "pirunner-installer.service"
INSTALLER_ENV = "/etc/pirunner-installer.env"
MARKER = "# Made by pirunner's install_services. Edits are lost: put them into a drop-in (systemctl edit).\n"

_WORDS = {
    Role.REDIS: "the broker, a Redis of its own",
    Role.API: "API and admin",
    Role.WORKER: "runs jobs",
    Role.IO: "sends callbacks, and takes them for a phone",
    Role.CLOCK: "fires schedules and mends what broke",
    Role.FLOWER: "Celery Flower",
}
# Longer than a running job is given for its end (22 s), and than all stages together (30 s).
_STOP = "TimeoutStopSec=45\nKillMode=mixed\n"
# What cannot heal by itself is not tried again: a variable that is wrong (2), a secret that is missing (5). All else
# is, for as long as it takes: nobody may be watching.
_RESTART = "Restart=always\nRestartSec=5\nRestartPreventExitStatus=2 5\n"
# A process that is short of memory is one job, not the whole service; and SIGTERM during the start is no failure.
_TEMPER = "OOMPolicy=continue\nSuccessExitStatus=143\n"

_SANDBOX = """\
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
ProtectClock=yes
ProtectControlGroups=yes
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
# Root, but not all of it: it reads and writes below a folder that is another user's, and systemd's.
_INSTALLER_SANDBOX = """\
UMask=0022
NoNewPrivileges=yes
CapabilityBoundingSet=CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH CAP_FOWNER CAP_CHOWN
AmbientCapabilities=
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
PrivateDevices=yes
PrivateNetwork=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@resources
SystemCallErrorNumber=EPERM
"""


def units(layout: Layout) -> dict[str, str]:
    """Return the text of each unit by its name. Raises ``Refusal`` for a path that cannot be in one."""
    own = {TOGETHER: _all_text(layout)} if layout.together else _parts(layout)
    rooted = {INSTALLER: _installer_text(layout)} if layout.installer else {}
    return {TARGET: _target_text(), **own, **rooted}


def name_of(role: Role) -> str:
    """Return the name of a part's unit."""
    return f"pirunner-{role}.service"


ALL_NAMES = (TARGET, TOGETHER, *map(name_of, Role), INSTALLER)
"""All names that this program ever gives."""


def is_ours(text: str) -> bool:
    """Return whether this program made a unit."""
    return text.startswith(MARKER)


def sysusers_text(layout: Layout) -> str:
    """Return the line by which systemd-sysusers makes the user, without a password and a shell."""
    return f'{MARKER}u {literal(layout.user)} - "pirunner" {literal(str(layout.data_dir))}\n'


def _parts(layout: Layout) -> dict[str, str]:
    return {
        name_of(role): _redis_text(layout) if role is Role.REDIS else _part_text(layout, role) for role in layout.roles
    }


def _target_text() -> str:
    return f"{MARKER}[Unit]\nDescription=pirunner\n\n[Install]\nWantedBy=multi-user.target\n"


def _part_text(layout: Layout, role: Role) -> str:
    broker = f" {name_of(Role.REDIS)}" if Role.REDIS in layout.roles else ""
    return _unit(
        _about(_WORDS[role], after=f"network-online.target time-sync.target{broker}", wants="network-online.target"),
        _python_service(layout, name=f"pirunner-{role}", arguments=f" --role {role}"),
    )


def _all_text(layout: Layout) -> str:
    return _unit(
        _about("all of it", after="network-online.target time-sync.target", wants="network-online.target"),
        _python_service(layout, name="pirunner", arguments=""),
    )


def _redis_text(layout: Layout) -> str:
    """Return the broker's unit: Redis itself takes the place of the program that starts it."""
    return _unit(
        _about(_WORDS[Role.REDIS], after="local-fs.target"),
        f"Type=exec\n{_command(layout, 'pirunner-redis', ' --role redis')}"
        f"{_RESTART}{_TEMPER}TimeoutStopSec=10\n"
        f"{_SANDBOX}{_places(layout)}PrivateNetwork=yes\nRestrictAddressFamilies=AF_UNIX\n",
    )


def _python_service(layout: Layout, *, name: str, arguments: str) -> str:
    return (
        # Ready is who works: Redis may be away for a while, and a first start brings the database up to date.
        f"Type=notify\nNotifyAccess=main\n{_command(layout, name, arguments)}"
        f"{_RESTART}{_TEMPER}TimeoutStartSec=600\nWatchdogSec=90\n{_STOP}"
        f"{_SANDBOX}{_places(layout)}RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6\n"
    )


def _installer_text(layout: Layout) -> str:
    data = literal(str(layout.data_dir))
    return _unit(
        _about("installs the timers of schedules", after="local-fs.target"),
        f"Type=exec\nWorkingDirectory={literal(str(layout.root))}\n"
        f"Environment=RUNNER_DATA_DIR={data} API_URL={literal(layout.api_url)} PYTHONDONTWRITEBYTECODE=1\n"
        f"EnvironmentFile={INSTALLER_ENV}\n"
        f"ExecStart={literal(str(layout.python))} -m installer --watch --apply\n"
        f"{_RESTART}TimeoutStopSec=150\nSyslogIdentifier=pirunner-installer\n"
        "StateDirectory=piar-sysd\nStateDirectoryMode=0700\n"
        f"ReadWritePaths=/etc/systemd/system {data}\n"
        f"{_INSTALLER_SANDBOX}{_home(layout)}",
    )


def _unit(about: str, service: str) -> str:
    return f"{MARKER}{about}\n[Service]\n{service}\n[Install]\nWantedBy={TARGET}\n"


def _about(words: str, *, after: str, wants: str = "") -> str:
    wanted = f"Wants={wants}\n" if wants else ""
    # No limit of starts: a card that is slow to mount or a database that is away may take longer than any.
    return f"[Unit]\nDescription=pirunner: {words}\nPartOf={TARGET}\n{wanted}After={after}\nStartLimitIntervalSec=0\n"


def _command(layout: Layout, name: str, arguments: str) -> str:
    user = literal(layout.user)
    return (
        f"User={user}\nGroup={user}\nWorkingDirectory={literal(str(layout.root))}\n"
        f"Environment=RUNNER_DATA_DIR={literal(str(layout.data_dir))} ENV_FILE={literal(str(layout.env_file))}\n"
        # The code is not theirs to write to, compiled or not.
        "Environment=PYTHONDONTWRITEBYTECODE=1\n"
        f"ExecStart={literal(str(layout.python))} -m pirunner.up{arguments}\nSyslogIdentifier={name}\n"
    )


def _places(layout: Layout) -> str:
    """Return what the service may write to, and what it may see of /home."""
    if is_hidden(layout.data_dir):
        raise Refusal("bad_setting", f"{layout.data_dir} is below a home: take a folder like /var/lib/pirunner.")
    return f"ReadWritePaths={literal(str(layout.data_dir))}\n{_home(layout)}"


def _home(layout: Layout) -> str:
    """Return that homes are hidden, but for the code if it lies in one: read-only, and without what is beside it."""
    if not layout.hidden:
        return "ProtectHome=yes\n"
    return f"ProtectHome=tmpfs\nBindReadOnlyPaths={' '.join(literal(str(path)) for path in layout.hidden)}\n"
