"""Database connections of a process with many threads."""

from django.db import DEFAULT_DB_ALIAS, connections

MOST_CONNECTIONS = 20
"""Few enough for PostgreSQL's default of 100 with all other processes beside; more threads wait their turn."""
WAIT_SECONDS = 10


def share_connections() -> None:
    """Let the threads of this process share a few PostgreSQL connections; SQLite's cost nothing.

    Without it every thread of the API would keep one for ever, until the server has none left for the workers. Call it
    before the first connection; a thread that waits too long gets ``OperationalError``, which the API answers as 503.
    """
    database = connections.settings[DEFAULT_DB_ALIAS]
    if database["ENGINE"].endswith("postgresql"):
        database["CONN_MAX_AGE"] = 0
        pool = {"min_size": 1, "max_size": MOST_CONNECTIONS, "timeout": WAIT_SECONDS}
        database["OPTIONS"] = {**database["OPTIONS"], "pool": pool}
