"""`manage.py doctor`, before Django: it has to speak when the settings cannot be read."""

import argparse
import json
import logging
import os
import shutil
import sys
from collections.abc import Sequence

from django.core.management.color import color_style, no_style

from pirunner.doctor.examination import examine
from pirunner.doctor.findings import Finding, exit_code
from pirunner.doctor.report import document, lines

HELP = "Looks at everything and says how to mend what is not well."
EXAMPLES = """\
examples:
  manage.py doctor          one line for each thing, and how to mend it
  manage.py doctor --json   one document, for programs

exit codes:
  0 all is well   1 there are warnings   2 there are problems"""
_STYLES = {"ok": "SUCCESS", "warning": "WARNING", "problem": "ERROR"}


def main(arguments: Sequence[str]) -> int:
    """Examine, print, and return the exit code."""
    parser = argparse.ArgumentParser(
        prog="manage.py doctor",
        description=HELP,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_arguments(parser)
    return run(as_json=parser.parse_args(arguments).json)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(*, as_json: bool) -> int:
    """Examine and print; return the exit code."""
    logging.disable(logging.CRITICAL)  # what a look meets is among its findings
    try:
        findings = list(examine())
    finally:
        logging.disable(logging.NOTSET)
    _print(findings, as_json=as_json)
    return exit_code(findings)


def _print(findings: Sequence[Finding], *, as_json: bool) -> None:
    if as_json:
        told = json.dumps(document(findings), indent=2)
    else:
        told = "\n".join(lines(findings, width=_width(), paint=_paint))
    sys.stdout.write(f"{told}\n")


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() or "COLUMNS" in os.environ else None


def _paint(level: str) -> str:
    style = color_style() if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else no_style()
    return str(getattr(style, _STYLES[level])(level))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
