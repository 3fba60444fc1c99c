"""Random crons, zones and instants for hypothesis."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st


def fields(low: int, high: int) -> st.SearchStrategy[str]:
    """One field of a cron: a star, a step, a number, a range, or a list of such."""
    number = st.integers(low, high)
    pair = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
    term = st.one_of(
        number.map(str),
        pair.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(pair, st.integers(1, 9)).map(lambda parts: f"{parts[0][0]}-{parts[0][1]}/{parts[1]}"),
    )
    step = st.integers(1, high).map(lambda step: f"*/{step}")
    return st.one_of(st.just("*"), step, st.lists(term, min_size=1, max_size=3).map(",".join))


CRONS = st.tuples(fields(0, 59), fields(0, 23), fields(1, 31), fields(1, 12), fields(0, 7)).map(" ".join)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "Asia/Gaza",
    ]
).map(ZoneInfo)
INSTANTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
