"""What the owner's commands share: help with examples, tables that fit, faults as sentences, exit codes.

Exit codes: 0 done, 1 it failed or is not there, 2 what was asked for has faults, 3 time was over.
"""

import getpass
import json
import os
import shutil
import sys
from argparse import RawDescriptionHelpFormatter
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.core.management.color import no_style
from django.db import DatabaseError

from pirunner.errors import ApiError, InvalidPayload
from pirunner.tables import Column, lines_of_table

FAILED = 1
FAULTY = 2
TIMED_OUT = 3
INTERRUPTED = 130

_STYLES = {
    "completed": "SUCCESS",
    "ok": "SUCCESS",
    "fired": "SUCCESS",
    "failed": "ERROR",
    "problem": "ERROR",
    "active": "NOTICE",
    "warning": "WARNING",
    "cancelled": "WARNING",
    "paused": "WARNING",
}


class HelpFormatter(DjangoHelpFormatter, RawDescriptionHelpFormatter):
    """Django's order of the options; the examples keep their lines."""


class OwnerCommand(BaseCommand):
    """A command for people: ``examples`` stand below its help."""

    examples = ""
    requires_system_checks: list[str] = []
    suppressed_base_arguments = {"--version", "-v", "--settings", "--pythonpath", "--traceback", "--force-color"}

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Return the parser, with the examples."""
        epilog = f"examples:\n{self.examples}" if self.examples else None
        return super().create_parser(prog_name, subcommand, formatter_class=HelpFormatter, epilog=epilog, **kwargs)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command; what goes wrong is a ``CommandError`` with a sentence and an exit code."""
        if os.environ.get("NO_COLOR") and not options.get("force_color"):
            options["no_color"] = True
        try:
            return super().execute(*args, **options)
        except InvalidPayload as error:
            raise CommandError(_all_faults(error), returncode=FAULTY) from None
        except ApiError as error:
            raise CommandError(str(error), returncode=FAILED) from None
        except DatabaseError as error:
            first_line = str(error).strip().partition("\n")[0]
            raise CommandError(f"The database cannot be used: {first_line}. Try: manage.py doctor") from None
        except BrokenPipeError:  # whoever read it has seen enough
            sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123  (until the process ends)
            return None
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)

    @property
    def is_terminal(self) -> bool:
        """Whether a person sees what is printed at once."""
        return self.stdout.isatty()

    @property
    def width(self) -> int | None:
        """The cells of a line; None where nobody counts them."""
        return shutil.get_terminal_size().columns if self.is_terminal or "COLUMNS" in os.environ else None

    def paint(self, text: str) -> str:
        """Return a word of a state in its colour, on a terminal that has colours."""
        style = self.style if self.is_terminal else no_style()
        name = _STYLES.get(text.strip())
        return str(getattr(style, name)(text)) if name else text

    def print_json(self, value: Any) -> None:
        """Print one JSON document."""
        self.stdout.write(json.dumps(value, indent=2))

    def print_table(self, columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> None:
        """Print a table that fits the terminal."""
        self.print_lines(lines_of_table(columns, rows, width=self.width))

    def print_lines(self, lines: Sequence[str]) -> None:
        """Print lines."""
        for line in lines:
            self.stdout.write(line)


def acting_user() -> str:
    """Return who runs the command, for the audit."""
    try:
        return f"{getpass.getuser()} (manage.py)"
    except (KeyError, OSError):
        return f"user {os.getuid()} (manage.py)"


def owners_zone() -> ZoneInfo:
    """Return the owner's time zone."""
    return ZoneInfo(settings.TIME_ZONE)


def _all_faults(error: InvalidPayload) -> str:
    lines = []
    for fault in error.faults:
        path = ".".join(map(str, fault.path))
        lines.append(f"  {path}: {fault.message}" if path else f"  {fault.message}")
    return "\n".join(["This cannot be accepted:", *lines])
