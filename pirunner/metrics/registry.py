"""All parts of the metrics, gathered so that one that cannot be read does not hide the others."""

import functools
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError
from django.utils import timezone
from prometheus_client import ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from pirunner.metrics import deliveries, installer, jobs, machine, processes, schedules
from pirunner.metrics.families import SourceSilent, gauges

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """A subject: its name, and what reads it."""

    name: str
    read: Callable[[datetime], Iterable[Metric]]
    needs_database: bool = True


PARTS = (
    Part("jobs", jobs.read),
    Part("deliveries", deliveries.read),
    Part("schedules", schedules.read),
    Part("canary", processes.read_canary),
    Part("installer", installer.read),
    Part("processes", processes.read, needs_database=False),
    Part("machine", machine.read, needs_database=False),
)


class PartsCollector(Collector):
    """Reads all parts anew at every scrape, and says of each whether it could be read."""

    def __init__(self, parts: tuple[Part, ...] = PARTS) -> None:
        self._parts = parts
        self._silent: set[str] = set()

    def collect(self) -> Iterator[Metric]:
        """Yield what the parts say; of one that breaks off, what it said until then."""
        now = timezone.now()
        up: dict[tuple[str, ...], float] = {}
        database_answers = True
        for part in self._parts:
            try:
                yield from part.read(now) if database_answers or not part.needs_database else _no_database()
            except (DatabaseError, SourceSilent, OSError) as error:
                # Who scrapes gives up after seconds; a database that is away must not be waited for part by part.
                database_answers = database_answers and not isinstance(error, DatabaseError)
                self._note_silent(part, error)
                up[part.name,] = 0
            except Exception:
                # A fault of ours in one part must not blind its owner to the others.
                log.exception("The metrics of %s cannot be read.", part.name)
                up[part.name,] = 0
            else:
                self._silent.discard(part.name)
                up[part.name,] = 1
        yield gauges("pirunner_part_up", "Whether the metrics of a part could be read.", ("part",), up)

    def _note_silent(self, part: Part, error: Exception) -> None:
        """Log what is wrong, once for as long as it lasts: Prometheus comes every few seconds."""
        if part.name not in self._silent:
            log.warning("The metrics of %s cannot be read: %s", part.name, error)
        self._silent.add(part.name)


def _no_database() -> Iterable[Metric]:
    raise SourceSilent("The database does not answer.")


@functools.cache
def registry() -> CollectorRegistry:
    """Return this process's registry: the parts, and what its own process takes."""
    made = CollectorRegistry(auto_describe=False)
    made.register(PartsCollector())
    ProcessCollector(registry=made)
    return made
