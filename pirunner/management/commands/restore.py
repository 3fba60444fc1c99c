"""`manage.py restore`: puts a backup back. See pirunner.backup."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from pirunner.backup.faults import BackupFault
from pirunner.backup.report import lines
from pirunner.backup.restoring import Restored, restore
from pirunner.commands import OwnerCommand
from pirunner.times import iso

STDIN = "-"


class Command(OwnerCommand):
    """Put a backup back."""

    help = "Puts a backup back, while pirunner is stopped. What is there is moved aside with --force, never deleted."
    examples = """\
  manage.py restore pirunner-20300310-133000.tar.gz
  manage.py restore nightly.tar.gz --force           in place of what is there, which is moved aside
  manage.py restore nightly.tar.gz --with-secrets    .env too, from a backup that was made --with-secrets"""

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("file", metavar="FILE|-", help="a backup; - is standard input")
        parser.add_argument("--force", action="store_true", help="move aside what is there")
        parser.add_argument("--with-secrets", action="store_true", help="put .env back, too")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, file: str, **options: Any) -> None:
        """Put it back; raises CommandError with a sentence."""
        wishes = {"force": options["force"], "with_secrets": options["with_secrets"]}
        try:
            if file == STDIN:
                restored = restore(sys.stdin.buffer, **wishes)
            else:
                with Path(file).expanduser().open("rb") as source:
                    restored = restore(source, **wishes)
        except BackupFault as fault:
            raise CommandError(str(fault)) from None
        except OSError as error:
            raise CommandError(f"{error.filename or file}: {error.strerror or error}.") from None
        if options["json"]:
            self.print_json(_document(restored))
        else:
            self.print_lines(_told(restored))


def _document(restored: Restored) -> dict[str, Any]:
    manifest = restored.manifest
    return {
        "madeAt": iso(manifest.made_at),
        "version": manifest.version,
        "rows": manifest.rows,
        "aside": restored.aside or None,
        "migrated": restored.migrated,
        "secrets": restored.secrets,
    }


def _told(restored: Restored) -> list[str]:
    manifest = restored.manifest
    told = [f"Restored what pirunner {manifest.version} had on {manifest.made_at:%Y-%m-%d %H:%M:%S} UTC."]
    told += lines(manifest)[: -1 if not manifest.secrets else None]
    if restored.aside:
        told.append(f"What was there is in {restored.aside}; remove it when it is not needed any more.")
    if restored.migrated:
        told.append(f"The backup was older: {restored.migrated} migrations were applied.")
    if manifest.secrets and not restored.secrets:
        told.append("The secrets in the backup were left there; --with-secrets puts .env back.")
    return [*told, "Start it: scripts/run"]
