"""`manage.py install_services`: pirunner as services of systemd. See pirunner.services."""

import os
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from installer.files import Folder, make_folder
from installer.refusals import Refusal
from pirunner.commands import FAILED, OwnerCommand
from pirunner.services import installing
from pirunner.services.installing import Change, Host
from pirunner.services.layout import DATA_DIR, USER, Layout, settings_in
from pirunner.services.units import INSTALLER, units
from pirunner.tables import Column

_SHOWN = "systemd-services"
_COLUMNS = (Column("unit"), Column("state"))


class Command(OwnerCommand):
    """Installs pirunner's services, or shows what would be installed."""

    help = "Runs pirunner as services of systemd. Without --apply the units are only written to be looked at."
    examples = """\
  manage.py install_services                 # look at the units
  sudo .venv/bin/python manage.py install_services --apply
  sudo .venv/bin/python manage.py install_services --remove"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--apply", action="store_true", help="Install, enable and start them; as root.")
        how.add_argument("--remove", action="store_true", help="Stop them and take them away; as root. The data stays.")
        parser.add_argument("--user", default=USER, help=f"As whom they run; made if it is not there ({USER}).")
        parser.add_argument(
            "--data", type=Path, default=DATA_DIR, metavar="FOLDER", help=f"Where they keep everything ({DATA_DIR})."
        )
        parser.add_argument(
            "--folder", type=Path, default=installing.UNITS_DIR, help=f"Where the units go ({installing.UNITS_DIR})."
        )
        parser.add_argument(
            "--together", action="store_true", help="One service for all parts: it takes about half the memory."
        )
        parser.add_argument("--no-installer", action="store_true", help="Without the installer of schedules' timers.")
        parser.add_argument("--no-start", action="store_true", help="Enable them for the next boot only.")

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it; what cannot be done is a sentence, and ends the process with 1."""
        host = Host(units_dir=options["folder"])
        try:
            if options["remove"]:
                self._require_root("--remove")
                self._show(installing.remove(host))
                self.stdout.write(_GONE)
                return
            layout = self._layout(options)
            if options["apply"]:
                self._require_root("--apply")
                self._show(installing.install(layout, units(layout), host, start=not options["no_start"]))
                self.stdout.write(_NEXT.format(env_file=layout.env_file))
            else:
                self._write_to_look_at(layout)
        except (Refusal, OSError) as fault:
            raise CommandError(str(fault), returncode=FAILED) from fault

    def _layout(self, options: dict[str, Any]) -> Layout:
        data_dir = options["data"].absolute()
        layout = Layout(
            user=options["user"],
            data_dir=data_dir,
            settings=_settings_of(data_dir),
            together=options["together"],
            installer=not options["no_installer"],
        )
        exposed = installing.unsafe_code(layout) if layout.installer else None
        if exposed:
            raise Refusal(
                "unsafe_code",
                f"{layout.user} can change {exposed}, which {INSTALLER} would run as root. Have the code belong to root"
                " or to yourself, or add --no-installer.",
            )
        return layout

    def _write_to_look_at(self, layout: Layout) -> None:
        folder = Path(settings.RUNNER_DATA_DIR) / _SHOWN
        with make_folder(folder, 0o755) as shown:
            self._show(installing.write(shown, units(layout)))
        self.stdout.write(_LOOK.format(folder=folder, user=layout.user, data=layout.data_dir))

    def _show(self, changes: dict[str, Change]) -> None:
        self.print_table(_COLUMNS, list(changes.items()))

    def _require_root(self, option: str) -> None:
        if os.geteuid() != 0:
            raise Refusal("not_root", f"{option} changes the system: call it with sudo.")


def _settings_of(data_dir: Path) -> dict[str, str]:
    """Return what the services' own ``.env`` says already; nothing if it is not there, or not ours to read."""
    try:
        with Folder(data_dir) as folder:
            return settings_in(folder.read(".env", most=1024 * 1024).decode(errors="replace"))
    except (FileNotFoundError, PermissionError):
        return {}


_LOOK = """
Nothing is installed: look at the units in {folder}.
With --apply (as root) they go to systemd, run as the user {user}, which is made if it is
not there, and keep everything in {data}, their secrets included.
"""
_GONE = """
The data and the user are still there, and so are the timers of schedules (docs/systemd.md has how they go).
"""
_NEXT = """
They start now, and at every boot. See how they do:
  systemctl list-dependencies pirunner.target
  journalctl -u 'pirunner*' -f
The secrets, and your settings, are in {env_file}.
"""
