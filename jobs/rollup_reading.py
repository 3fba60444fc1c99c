"""What an event's payload tells the rollup, read from its first characters: a result may have megabytes behind them."""

import json
import re
from dataclasses import dataclass
from datetime import datetime

from jobs.endings import LOST
from jobs.payloads import KINDS
from jobs.states import FINAL_STATES, State

HEAD = 800
"""How many characters of a payload are read: what is looked for stands before its first long value."""

END_STATES = {KINDS[state]: state for state in FINAL_STATES}
RETRIED = "retried"
TAKEN_BACK = "taken_back"

_TEXT = r'"(?:[^"\\]|\\.)*"'
_BEGIN = re.compile(rf'\{{"jobId":{_TEXT},"jobType":(?P<type>{_TEXT}),"status":{_TEXT}')
_TIMES = re.compile(r',"startedAt":"(?P<start>[^"]+)","finishedAt":"(?P<end>[^"]+)"')
_LOST = re.compile(rf',"error":"{LOST}\b')
_ATTEMPTS = re.compile(rf',"error":{_TEXT},"attemptsMade":')


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What an event tells: a run that ended its job (``state``), was to be retried, or was taken back.

    ``seconds`` is how long it took if the payload tells; else ``had_run`` tells whether there was a run at all.
    """

    job_type: str
    state: State | None = None
    seconds: float | None = None
    had_run: bool = False
    retried: bool = False
    taken_back: bool = False


def read_event(kind: str, head: str) -> Told | None:
    """Return what an event tells the rollup, None if that is nothing; ``head`` is how its payload begins."""
    begin = _BEGIN.match(head)
    if begin is None:
        return None  # an event of a schedule or of the machine
    state = END_STATES.get(kind)
    retried = kind == KINDS[State.DELAYED]
    taken_back = not retried and _LOST.match(head, begin.end()) is not None
    if state is None and not retried and not taken_back:
        return None
    return Told(
        job_type=json.loads(begin["type"]),
        state=state,
        seconds=_seconds(_TIMES.match(head, begin.end())) if state else None,
        had_run=state is State.FAILED or _ATTEMPTS.match(head, begin.end()) is not None,
        retried=retried,
        taken_back=taken_back,
    )


def _seconds(times: re.Match[str] | None) -> float | None:
    if times is None:
        return None
    took = datetime.fromisoformat(times["end"]) - datetime.fromisoformat(times["start"])
    return max(0.0, took.total_seconds())
