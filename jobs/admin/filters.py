"""What the list of jobs is narrowed to: the query of its address, named as in ``GET /jobs``."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from jobs.catalog import registered
from jobs.listing import LARGEST_ID, JobFilter
from jobs.states import State
from pirunner.wording import read_since
from pirunner.zones import find_zone

PAGE = 50
SINCE = (("15m", "15 minutes"), ("1h", "hour"), ("24h", "24 hours"), ("7d", "7 days"), ("30d", "30 days"))
_NAMES = ("state", "jobType", "scheduleId", "since", "q")
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader of the list asked for, as they wrote it; ``before`` is the cursor, and no filter."""

    state: str = ""
    job_type: str = ""
    schedule_id: str = ""
    since: str = ""
    text: str = ""
    before: int = LARGEST_ID
    fault: str = ""

    @property
    def is_narrowed(self) -> bool:
        """Whether any filter is set."""
        return bool(self.query())

    @property
    def is_narrowed_further(self) -> bool:
        """Whether any filter is set besides the state."""
        return bool(self.query(state=""))

    @property
    def is_first_page(self) -> bool:
        """Whether the list begins with the newest."""
        return self.before == LARGEST_ID

    def query(self, **changes: str) -> str:
        """Return the filters as the query of an address, with some of them changed; always from the first page."""
        said = (self.state, self.job_type, self.schedule_id, self.since, self.text)
        values = {**dict(zip(_NAMES, said, strict=True)), **changes}
        return urlencode({name: value for name, value in values.items() if value})

    def filter(self, now: datetime, *, limit: int = PAGE) -> JobFilter:
        """Return the same as the API's filter."""
        return JobFilter(
            limit=limit,
            before=self.before,
            state=State(self.state) if self.state else None,
            job_type=self.job_type or None,
            schedule_id=self.schedule_id or None,
            since=_moment(self.since, now) if self.since else None,
            text=self.text or None,
        )

    def types(self) -> Iterator[str]:
        """Yield the job types to choose from; the one that is asked for, also when it does not exist any more."""
        yield from sorted({*registered(), *filter(None, [self.job_type])})

    def spans(self) -> Iterator[tuple[str, str]]:
        """Yield the spans of time to choose from."""
        yield from SINCE
        if self.since and self.since not in dict(SINCE):
            yield self.since, self.since


def read_wanted(query: Mapping[str, str]) -> Wanted:
    """Return what a query asks for; what makes no sense is left out, and told where it could mislead."""
    said = {name: query.get(name, "").replace("\x00", "").strip()[:_LONGEST] for name in _NAMES}
    wanted = Wanted(
        state=said["state"] if said["state"] in set(State) else "",
        job_type=said["jobType"],
        schedule_id=said["scheduleId"],
        since=said["since"],
        text=said["q"],
        before=_cursor(query.get("before", "")),
    )
    try:
        wanted.filter(timezone.now())
    except ValueError as error:
        return replace(wanted, since="", fault=str(error))
    return wanted


def _moment(text: str, now: datetime) -> datetime:
    return read_since(text, find_zone(settings.TIME_ZONE), now)


def _cursor(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else LARGEST_ID
