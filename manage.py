#!/usr/bin/env python3
"""Django's command line for pirunner."""

import os
import sys


def main() -> None:
    """Run the command that the arguments name."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pirunner.settings")
    try:
        from pirunner.env import EnvironmentFault  # noqa: PLC0415  (a missing package is to be one sentence)
    except ImportError as error:
        sys.exit(f"pirunner: a package is missing ({error}). Run scripts/run, and use .venv/bin/python.")
    try:
        _run(sys.argv)
    except EnvironmentFault as fault:
        sys.stderr.write(f"pirunner: {fault}\n")
        sys.exit(2)


def _run(arguments: list[str]) -> None:
    if arguments[1:2] == ["doctor"]:
        # Before Django, which does not start where the settings cannot be read.
        from pirunner.doctor.__main__ import main as examine  # noqa: PLC0415

        sys.exit(examine(arguments[2:]))
    from django.core.management import execute_from_command_line  # noqa: PLC0415  (settings must be named first)

    execute_from_command_line(arguments)


if __name__ == "__main__":
    main()
