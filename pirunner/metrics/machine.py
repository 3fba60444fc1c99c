"""The machine, and which pirunner runs on it."""

import functools
import platform
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from prometheus_client.core import Metric

from pirunner import machine
from pirunner.metrics.families import SourceSilent, gauge, gauges
from pirunner.version import version


def read(now: datetime) -> Iterator[Metric]:
    """Yield what the machine tells; raises ``SourceSilent`` when the disk does not."""
    del now
    yield gauges(
        "pirunner_build_info",
        "Which pirunner this is; always 1.",
        ("version", "python", "database"),
        {(_version(), platform.python_version(), connection.vendor): 1},
    )
    yield gauge("pirunner_temperature_celsius", "Temperature of the processor.", machine.degrees())
    yield gauge("pirunner_database_bytes", "Size of the SQLite database and its log.", _size_of_database())
    disk = machine.disk(settings.RUNNER_DATA_DIR)
    if disk is None:
        raise SourceSilent("The folder RUNNER_DATA_DIR is gone, or its disk.")
    yield gauge("pirunner_disk_free_bytes", "Free bytes on the disk of RUNNER_DATA_DIR.", disk.free)
    yield gauge("pirunner_disk_total_bytes", "Bytes of the disk of RUNNER_DATA_DIR.", disk.total)


def _size_of_database() -> int | None:
    if connection.vendor != "sqlite":
        return None
    path = Path(connection.settings_dict["NAME"])
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


_version = functools.cache(version)
