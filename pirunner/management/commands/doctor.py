"""`manage.py doctor`: looks at everything and says how to mend it. See pirunner.doctor.

`manage.py` itself runs it before Django does, because it has to speak when the settings cannot be read; this is the
same for `call_command` and for the list of commands.
"""

import sys
from argparse import ArgumentParser
from typing import Any

from pirunner.commands import OwnerCommand
from pirunner.doctor import __main__ as doctor


class Command(OwnerCommand):
    """Look at everything."""

    help = doctor.HELP

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        doctor.add_arguments(parser)

    def handle(self, *_: Any, **options: Any) -> None:
        """Examine; ends with 1 if there are warnings, 2 if there are problems."""
        if code := doctor.run(as_json=options["json"]):
            sys.exit(code)
