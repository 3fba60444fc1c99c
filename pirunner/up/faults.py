"""What keeps pirunner from starting: one sentence for the owner, and an exit code for scripts."""

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of `manage.py up`."""

    STOPPED = 0  # as asked, by a signal
    FAILED = 1
    ENVIRONMENT = 2  # a variable has a value that cannot be used
    PORT = 3  # a port is taken, or may not be used
    FOLDER = 4  # a folder or `.env` cannot be written
    SECRET = 5  # a secret is empty or well known
    BROKER = 6  # there is no Redis, or it does not start
    DATABASE = 7  # the database cannot be reached or migrated
    RUNNING = 8  # another one runs on the same RUNNER_DATA_DIR


class StartFault(Exception):
    """Something outside the program keeps it from starting; the sentence says what, and what to do."""

    def __init__(self, sentence: str, exit_code: Exit) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code
