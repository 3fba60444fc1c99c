"""Job types from other installed packages: entry points of the group ``pirunner.jobs``.

A package that cannot be loaded is reported (by the system checks, ``doctor`` and ``jobtypes``) and left out; it never
keeps pirunner from starting. Its code runs in every process, as that of any installed package may.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from jobs.contract import JobType

GROUP = "pirunner.jobs"


@dataclass(frozen=True, slots=True)
class Plugin:
    """What an entry point gave: a job type, or the sentence that says why it did not."""

    name: str
    origin: str
    job_type: JobType | None = None
    fault: str = ""


@cache
def plugins() -> tuple[Plugin, ...]:
    """Return what the installed packages have registered, in the order of their names; loaded once per process."""
    return tuple(load(entry_points(group=GROUP)))


def load(points: Iterable[EntryPoint]) -> Iterator[Plugin]:
    """Load entry points; the second of two with one name is a fault."""
    seen: dict[str, str] = {}
    for point in sorted(points, key=lambda point: (point.name, point.value)):
        plugin = _load(point)
        if plugin.job_type and plugin.name in seen:
            fault = f"{plugin.origin} registers {plugin.name!r}, which {seen[plugin.name]} has registered already."
            plugin = Plugin(plugin.name, plugin.origin, fault=fault)
        seen.setdefault(plugin.name, plugin.origin)
        yield plugin


def _load(point: EntryPoint) -> Plugin:
    origin = f"{point.dist.name} {point.dist.version}" if point.dist else point.value
    try:
        loaded = point.load()
    except (Exception, SystemExit) as error:  # noqa: BLE001  (whatever a package does, it does not end pirunner)
        return Plugin(point.name, origin, fault=f"{origin} cannot be loaded: {type(error).__name__}: {error}"[:500])
    if not isinstance(loaded, JobType):
        return Plugin(point.name, origin, fault=f"{origin}: {point.value} is no JobType.")
    if loaded.name != point.name:
        fault = f"{origin}: the entry point {point.name!r} leads to a job type that calls itself {loaded.name!r}."
        return Plugin(point.name, origin, fault=fault)
    return Plugin(point.name, origin, loaded)
