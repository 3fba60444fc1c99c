"""`manage.py backup`: one file with everything, taken while pirunner runs. See pirunner.backup."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import CommandError

from pirunner.backup.faults import BackupFault
from pirunner.backup.manifest import Manifest
from pirunner.backup.report import lines
from pirunner.backup.taking import backup_to, backup_to_file, default_name
from pirunner.commands import OwnerCommand

STDOUT = "-"


class Command(OwnerCommand):
    """Take a backup."""

    help = "Writes the database, the artifacts, the signing key and the manifests to one file, while pirunner runs."
    examples = """\
  manage.py backup                            pirunner-20300310-133000.tar.gz in this folder
  manage.py backup nightly.tar.gz --force     always the same file; the old one stays until the new one is whole
  manage.py backup /mnt/usb --with-secrets    .env too: keep such a backup as safe as .env
  manage.py backup - | ssh nas 'cat > pirunner.tar.gz'
Put it back with: manage.py restore FILE"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", nargs="?", default=".", metavar="FILE|FOLDER|-", help="- is standard output")
        parser.add_argument("--with-secrets", action="store_true", help="put .env in, too")
        parser.add_argument("--force", action="store_true", help="replace the file if it is there")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, file: str, **options: Any) -> None:
        """Take it; raises CommandError with a sentence."""
        try:
            target, manifest = _taken(file, with_secrets=options["with_secrets"], force=options["force"])
        except BackupFault as fault:
            raise CommandError(str(fault)) from None
        except OSError as error:
            raise CommandError(f"The backup cannot be written: {error.strerror or error}.") from None
        # What a pipe carries must stay a backup.
        output = self.stderr if file == STDOUT else self.stdout
        if options["json"]:
            told = msgspec.json.format(msgspec.json.encode({"file": target, **_summary(manifest)}), indent=2)
            output.write(told.decode())
        else:
            output.write("\n".join([f"{target}:", *lines(manifest)]), style_func=str)


def _taken(file: str, *, with_secrets: bool, force: bool) -> tuple[str, Manifest]:
    if file == STDOUT:
        return "standard output", backup_to(sys.stdout.buffer, with_secrets=with_secrets)
    target = Path(file).expanduser()
    if target.is_dir():
        target /= default_name(datetime.now().astimezone())
    return str(target), backup_to_file(target, with_secrets=with_secrets, force=force)


def _summary(manifest: Manifest) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(manifest)
    return {name: value for name, value in told.items() if name != "migrations"}
